import Foundation
import RNNCore
import RNNHDF5

// rnnconv-hdf5 read   HDF5 on standard input -> a checkpoint image (safetensors) on standard output
// rnnconv-hdf5 write  the reverse
//
// A process of its own, because libhdf5 can crash or hang on a damaged file. It opens no path, limits itself before it
// looks at a byte, and reports an error as JSON on standard error with the reason as its exit code.

do {
  switch CommandLine.arguments.dropFirst().first {
  case "read":
    let input = try StandardInput()
    try ResourceLimits.apply(inputSize: input.bytes.count)
    try readHDF5(input)
    _exit(0)
  case "write":
    let input = try StandardInput()
    try ResourceLimits.apply(inputSize: input.bytes.count)
    try writeHDF5(input)
    _exit(0)
  default:
    throw RNNError.usage("rnnconv-hdf5 is a part of rnnconv, which starts it; its argument is read or write")
  }
} catch let error as RNNError {
  HelperError.report(error)
} catch {
  HelperError.report(RNNError(.internalError, error.localizedDescription))
}

func readHDF5(_ input: StandardInput) throws {
  let reader = try HDF5Reader(input.bytes)
  let places = reader.datasets.enumerated().compactMap { number, dataset in
    dataset.offset.map {
      CheckpointImage.Place(
        number: number, path: dataset.path, dtype: dataset.dtype, shape: dataset.shape, offset: $0)
    }
  }
  // The caller has the input, too: what lies there as it is wanted is not sent.
  let sent = reader.datasets.filter { $0.offset == nil }
  let (metadata, attributeTensors) = CheckpointImage.metadata(of: reader.structure, places: places)
  let descriptions =
    sent.map {
      Safetensors.Description(name: CheckpointImage.tensorPrefix + $0.path, dtype: $0.dtype, shape: $0.shape)
    }
    + attributeTensors.enumerated().map {
      Safetensors.Description(
        name: CheckpointImage.attributePrefix + String($0.offset), dtype: $0.element.dtype, shape: $0.element.shape)
    }
  let header = try Safetensors.header(metadata: metadata, descriptions: descriptions)
  var left = CheckpointImage.largestSize(fileSize: input.bytes.count) - header.count
  for description in descriptions {
    guard let bytes = Tensor.byteCount(dtype: description.dtype, shape: description.shape), bytes <= left else {
      throw CheckpointImage.tooLarge
    }
    left -= bytes
  }
  try StandardOutput.write(header)
  // One dataset at a time: the file is in memory once already.
  for dataset in sent {
    try StandardOutput.write(try reader.read(dataset))
    input.forget()
  }
  for tensor in attributeTensors { try StandardOutput.write(tensor.bytes) }
}

func writeHDF5(_ input: StandardInput) throws {
  let image = try Safetensors(parsing: Data(bytesNoCopy: input.base, count: input.bytes.count, deallocator: .none))
  try StandardOutput.write(try HDF5Writer.image(of: try CheckpointImage.checkpoint(from: image)))
}
