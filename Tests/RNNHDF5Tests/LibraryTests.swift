import CHDF5
import Foundation
import RNNCore
import RNNHDF5
import RNNTestSupport
import Testing

extension HDF5Tests {
  /// Files made with the library itself, and what the library says of ours.
  @Suite struct LibraryTests {
    /// A file in a temporary folder, made by `fill`; its bytes.
    private func image(_ fill: (hid_t) throws -> Void) throws -> Data {
      let folder = try TemporaryFolder()
      let path = folder.file("made.h5").path
      let file = H5Fcreate(path, rnn_h5f_acc_trunc(), 0, 0)
      try #require(file >= 0)
      do {
        defer { H5Fclose(file) }
        try fill(file)
      }
      return try Data(contentsOf: folder.file("made.h5"))
    }

    private func makeGroup(_ parent: hid_t, _ name: String) -> hid_t { H5Gcreate2(parent, name, 0, 0, 0) }

    @Test func aGroupInsideItselfIsAnErrorAndNoLoop() throws {
      let data = try image { file in
        let group = makeGroup(file, "g")
        H5Lcreate_hard(group, ".", group, "again", 0, 0)
        H5Gclose(group)
      }
      expectError(.badData, naming: "/g/again", "two places") { try readCheckpoint(data) }
    }

    @Test func nestingIsBounded() throws {
      func nested(_ depth: Int) throws -> Data {
        try image { file in
          for level in 1...depth {
            H5Gclose(makeGroup(file, Array(repeating: "g", count: level).joined(separator: "/")))
          }
        }
      }
      #expect(try readCheckpoint(try nested(64)).groups.count == 64)
      expectError(.badData, naming: "nested deeper") { try readCheckpoint(try nested(65)) }
    }

    /// 2^34 floats that were never written take no place in the file, and would take 64 GB in memory.
    @Test func aDatasetLargerThanItsFileIsRefusedBeforeMemoryIsTaken() throws {
      let data = try image { file in
        var dimensions: [hsize_t] = [1 << 17, 1 << 17]
        let space = H5Screate_simple(2, &dimensions, nil)
        let dataset = H5Dcreate2(file, "bomb", rnn_h5t_ieee_f32le(), space, 0, 0, 0)
        H5Dclose(dataset)
        H5Sclose(space)
      }
      expectError(.badData, naming: "/bomb", "larger than a file of this size") { try readCheckpoint(data) }
    }

    /// Only what lies in one piece, in the byte order that it has in memory, is left where it is.
    @Test func datasetsLieWhereTheReaderSays() throws {
      var dimensions: [hsize_t] = [2, 3]
      let space = H5Screate_simple(2, &dimensions, nil)
      defer { H5Sclose(space) }
      let data = try image { file in
        var values: [Float] = [1, 2, 3, 4, 5, 6]
        func make(_ name: String, _ type: hid_t, isWritten: Bool = true, _ lay: (hid_t) -> Void = { _ in }) {
          let properties = rnn_h5p_create_dataset()
          lay(properties)
          let dataset = H5Dcreate2(file, name, type, space, 0, properties, 0)
          if isWritten { H5Dwrite(dataset, rnn_h5t_ieee_f32le(), 0, 0, 0, &values) }
          H5Dclose(dataset)
          H5Pclose(properties)
        }
        let swapped = H5Tcopy(rnn_h5t_ieee_f32le())
        H5Tset_order(swapped, H5T_ORDER_BE)
        make("plain", rnn_h5t_ieee_f32le())
        make("double", rnn_h5t_ieee_f64le())
        make("swapped", swapped)
        make("unwritten", rnn_h5t_ieee_f32le(), isWritten: false)
        make("compact", rnn_h5t_ieee_f32le()) { H5Pset_layout($0, H5D_COMPACT) }
        var chunk: [hsize_t] = [1, 3]
        make("chunked", rnn_h5t_ieee_f32le()) { H5Pset_chunk($0, 2, &chunk) }
        H5Tclose(swapped)
      }
      let datasets = try withReader(data) { $0.datasets }
      #expect(datasets.count == 6)
      #expect(Set(datasets.filter { $0.offset != nil }.map(\.path)) == ["plain", "double"])
      let checkpoint = try readCheckpoint(data)
      for name in ["plain", "double", "swapped", "compact", "chunked"] {
        #expect(checkpoint.tensor(at: name)?.floats() == [1, 2, 3, 4, 5, 6], "\(name)")
      }
    }

    @Test func aNamedTypeCarriesNothing() throws {
      let data = try image { file in
        let type = H5Tcopy(rnn_h5t_ieee_f32le())
        H5Tcommit2(file, "type", type, 0, 0, 0)
        H5Tclose(type)
        H5Gclose(makeGroup(file, "g"))
      }
      let read = try readCheckpoint(data)
      #expect(read.entries.isEmpty)
      #expect(read.groups == ["g"])
    }

    /// h5py 2 decodes lists of fixed strings and single variable ones as Keras 2 expects them.
    @Test func textIsWrittenAsKerasReadsIt() throws {
      var checkpoint = Checkpoint()
      try checkpoint.setAttribute("one", .string("model"), at: "")
      try checkpoint.setAttribute("list", .strings(["kernel:0", "b"]), at: "")
      let folder = try TemporaryFolder()
      try HDF5Writer.image(of: checkpoint).write(to: folder.file("ours.h5"))
      let file = H5Fopen(folder.file("ours.h5").path, 0, 0)
      try #require(file >= 0)
      defer { H5Fclose(file) }
      let (one, list) = (try typeOfAttribute("one", file), try typeOfAttribute("list", file))
      defer { for type in [one, list] { H5Tclose(type) } }
      #expect(H5Tis_variable_str(one) > 0)
      #expect(H5Tis_variable_str(list) == 0)
      // As wide as the longest, without a closing zero.
      #expect(H5Tget_size(list) == 8)
      #expect(H5Tget_strpad(list) == H5T_STR_NULLPAD)
    }

    private func typeOfAttribute(_ name: String, _ file: hid_t) throws -> hid_t {
      let attribute = H5Aopen(file, name, 0)
      defer { H5Aclose(attribute) }
      let type = H5Aget_type(attribute)
      try #require(type >= 0)
      return type
    }
  }
}
