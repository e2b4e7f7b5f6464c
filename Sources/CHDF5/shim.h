#ifndef RNNCONV_CHDF5_SHIM_H
#define RNNCONV_CHDF5_SHIM_H

/* What Swift cannot import from hdf5.h: macros that call functions, and the callbacks that let a file image be opened
 * where it lies instead of being copied. */

#include <hdf5.h>
#include <stdint.h>

static inline hid_t rnn_h5t_c_s1(void) { return H5T_C_S1; }
static inline hid_t rnn_h5t_std_i8le(void) { return H5T_STD_I8LE; }
static inline hid_t rnn_h5t_std_u8le(void) { return H5T_STD_U8LE; }
static inline hid_t rnn_h5t_std_i16le(void) { return H5T_STD_I16LE; }
static inline hid_t rnn_h5t_std_u16le(void) { return H5T_STD_U16LE; }
static inline hid_t rnn_h5t_std_i32le(void) { return H5T_STD_I32LE; }
static inline hid_t rnn_h5t_std_u32le(void) { return H5T_STD_U32LE; }
static inline hid_t rnn_h5t_std_i64le(void) { return H5T_STD_I64LE; }
static inline hid_t rnn_h5t_std_u64le(void) { return H5T_STD_U64LE; }
static inline hid_t rnn_h5t_ieee_f32le(void) { return H5T_IEEE_F32LE; }
static inline hid_t rnn_h5t_ieee_f64le(void) { return H5T_IEEE_F64LE; }
static inline size_t rnn_h5t_variable(void) { return H5T_VARIABLE; }

/* IEEE half has no predefined type in this version of the library; h5py builds it in the same way. */
static inline hid_t rnn_h5t_create_f16le(void) {
  hid_t type = H5Tcopy(H5T_IEEE_F32LE);
  if (type < 0) return type;
  if (H5Tset_fields(type, 15, 10, 5, 0, 10) < 0 || H5Tset_size(type, 2) < 0 || H5Tset_ebias(type, 15) < 0) {
    H5Tclose(type);
    return -1;
  }
  return type;
}

static inline hid_t rnn_h5p_create_file_access(void) { return H5Pcreate(H5P_FILE_ACCESS); }
static inline hid_t rnn_h5p_create_dataset(void) { return H5Pcreate(H5P_DATASET_CREATE); }
static inline hid_t rnn_h5p_create_link(void) { return H5Pcreate(H5P_LINK_CREATE); }
static inline unsigned rnn_h5f_acc_trunc(void) { return H5F_ACC_TRUNC; }

typedef struct {
  void *base;
  size_t length;
} rnn_h5_image;

static void *rnn_h5_image_malloc(size_t size, H5FD_file_image_op_t operation, void *udata) {
  rnn_h5_image *image = (rnn_h5_image *)udata;
  (void)operation;
  return size <= image->length ? image->base : NULL;
}
static void *rnn_h5_image_memcpy(void *destination, const void *source, size_t size, H5FD_file_image_op_t operation,
                                 void *udata) {
  (void)size;
  (void)operation;
  (void)udata;
  return destination == source ? destination : NULL;
}
static void *rnn_h5_image_realloc(void *pointer, size_t size, H5FD_file_image_op_t operation, void *udata) {
  rnn_h5_image *image = (rnn_h5_image *)udata;
  (void)operation;
  return size <= image->length ? pointer : NULL;
}
static herr_t rnn_h5_image_free(void *pointer, H5FD_file_image_op_t operation, void *udata) {
  (void)pointer;
  (void)operation;
  (void)udata;
  return 0;
}
static void *rnn_h5_image_udata_copy(void *udata) { return udata; }
static herr_t rnn_h5_image_udata_free(void *udata) {
  (void)udata;
  return 0;
}

/* Opens an image read-only without copying it. `image` must outlive the file. */
static inline hid_t rnn_h5_open_image(rnn_h5_image *image) {
  H5FD_file_image_callbacks_t callbacks = {
      rnn_h5_image_malloc,     rnn_h5_image_memcpy,     rnn_h5_image_realloc, rnn_h5_image_free,
      rnn_h5_image_udata_copy, rnn_h5_image_udata_free, image,
  };
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  hid_t file = -1;
  if (access < 0) return -1;
  if (H5Pset_fapl_core(access, 1 << 16, 0) >= 0 && H5Pset_file_image_callbacks(access, &callbacks) >= 0 &&
      H5Pset_file_image(access, image->base, image->length) >= 0)
    file = H5Fopen("image", H5F_ACC_RDONLY, access);
  H5Pclose(access);
  return file;
}

#endif
