import Testing

/// libhdf5 keeps global state and is not built for threads: its tests run one after the other, all of them in here.
@Suite(.serialized) enum HDF5Tests {}
