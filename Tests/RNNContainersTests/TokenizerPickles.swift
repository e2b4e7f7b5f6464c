/// One `Tokenizer` (words "the" 1 and "h\u{E9}" 2, num_words 70000, filters "!\n\t", no OOV token), pickled by CPython 2.7
/// and 3.11 with every protocol they have; base64.
///
/// The class was a stand-in named `keras.preprocessing.text.Tokenizer` with an OrderedDict, a defaultdict(int) and plain
/// dictionaries as attributes, as Keras's has.
enum TokenizerPickles {
  static let all: [(origin: String, base64: String)] = [
    (
      "Python 2, protocol 0",
      """
      Y2NvcHlfcmVnCl9yZWNvbnN0cnVjdG9yCnAwCihja2VyYXMucHJlcHJvY2Vzc2luZy50ZXh0ClRva2VuaXplcgpwMQpjX19idWlsdGluX18K
      b2JqZWN0CnAyCk50cDMKUnA0CihkcDUKUydsb3dlcicKcDYKSTAxCnNTJ3dvcmRfaW5kZXgnCnA3CihkcDgKVnRoZQpwOQpJMQpzVmjpCnAx
      MApJMgpzc1Mnb292X3Rva2VuJwpwMTEKTnNTJ2NoYXJfbGV2ZWwnCnAxMgpJMDAKc1Mnd29yZF9jb3VudHMnCnAxMwpjY29sbGVjdGlvbnMK
      T3JkZXJlZERpY3QKcDE0CigobHAxNQoobHAxNgpnOQphSTMKYWEobHAxNwpnMTAKYUkyCmFhdHAxOApScDE5CnNTJ3NwbGl0JwpwMjAKUycg
      JwpwMjEKc1MnZmlsdGVycycKcDIyClMnIVxuXHQnCnAyMwpzUyd3b3JkX2RvY3MnCnAyNApjY29sbGVjdGlvbnMKZGVmYXVsdGRpY3QKcDI1
      CihjX19idWlsdGluX18KaW50CnAyNgp0cDI3ClJwMjgKZzkKSTEKc3NTJ2RvY3VtZW50X2NvdW50JwpwMjkKSTg1ODk5MzQ1OTIKc1MnbnVt
      X3dvcmRzJwpwMzAKSTcwMDAwCnNiLg==
      """
    ),
    (
      "Python 2, protocol 1",
      """
      Y2NvcHlfcmVnCl9yZWNvbnN0cnVjdG9yCnEAKGNrZXJhcy5wcmVwcm9jZXNzaW5nLnRleHQKVG9rZW5pemVyCnEBY19fYnVpbHRpbl9fCm9i
      amVjdApxAk50cQNScQR9cQUoVQVsb3dlcnEGSTAxClUKd29yZF9pbmRleHEHfXEIKFgDAAAAdGhlcQlLAVgDAAAAaMOpcQpLAnVVCW9vdl90
      b2tlbnELTlUKY2hhcl9sZXZlbHEMSTAwClULd29yZF9jb3VudHNxDWNjb2xsZWN0aW9ucwpPcmRlcmVkRGljdApxDihdcQ8oXXEQKGgJSwNl
      XXERKGgKSwJlZXRxElJxE1UFc3BsaXRxFFUBIHEVVQdmaWx0ZXJzcRZVAyEKCXEXVQl3b3JkX2RvY3NxGGNjb2xsZWN0aW9ucwpkZWZhdWx0
      ZGljdApxGShjX19idWlsdGluX18KaW50CnEadHEbUnEcaAlLAXNVDmRvY3VtZW50X2NvdW50cR1JODU4OTkzNDU5MgpVCW51bV93b3Jkc3Ee
      SnARAQB1Yi4=
      """
    ),
    (
      "Python 2, protocol 2",
      """
      gAJja2VyYXMucHJlcHJvY2Vzc2luZy50ZXh0ClRva2VuaXplcgpxACmBcQF9cQIoVQVsb3dlcnEDiFUKd29yZF9pbmRleHEEfXEFKFgDAAAA
      dGhlcQZLAVgDAAAAaMOpcQdLAnVVCW9vdl90b2tlbnEITlUKY2hhcl9sZXZlbHEJiVULd29yZF9jb3VudHNxCmNjb2xsZWN0aW9ucwpPcmRl
      cmVkRGljdApxC11xDChdcQ0oaAZLA2VdcQ4oaAdLAmVlhXEPUnEQVQVzcGxpdHERVQEgcRJVB2ZpbHRlcnNxE1UDIQoJcRRVCXdvcmRfZG9j
      c3EVY2NvbGxlY3Rpb25zCmRlZmF1bHRkaWN0CnEWY19fYnVpbHRpbl9fCmludApxF4VxGFJxGWgGSwFzVQ5kb2N1bWVudF9jb3VudHEaSTg1
      ODk5MzQ1OTIKVQludW1fd29yZHNxG0pwEQEAdWIu
      """
    ),
    (
      "Python 3, protocol 0",
      """
      Y2NvcHlfcmVnCl9yZWNvbnN0cnVjdG9yCnAwCihja2VyYXMucHJlcHJvY2Vzc2luZy50ZXh0ClRva2VuaXplcgpwMQpjX19idWlsdGluX18K
      b2JqZWN0CnAyCk50cDMKUnA0CihkcDUKVndvcmRfY291bnRzCnA2CmNjb2xsZWN0aW9ucwpPcmRlcmVkRGljdApwNwoodFJwOApWdGhlCnA5
      CkkzCnNWaOkKcDEwCkkyCnNzVndvcmRfZG9jcwpwMTEKY2NvbGxlY3Rpb25zCmRlZmF1bHRkaWN0CnAxMgooY19fYnVpbHRpbl9fCmxvbmcK
      cDEzCnRwMTQKUnAxNQpnOQpJMQpzc1ZmaWx0ZXJzCnAxNgpWIVx1MDAwYQkKcDE3CnNWc3BsaXQKcDE4ClYgCnAxOQpzVmxvd2VyCnAyMApJ
      MDEKc1ZudW1fd29yZHMKcDIxCkk3MDAwMApzVmRvY3VtZW50X2NvdW50CnAyMgpMODU4OTkzNDU5MkwKc1ZjaGFyX2xldmVsCnAyMwpJMDAK
      c1Zvb3ZfdG9rZW4KcDI0Ck5zVndvcmRfaW5kZXgKcDI1CihkcDI2Cmc5CkkxCnNnMTAKSTIKc3NiLg==
      """
    ),
    (
      "Python 3, protocol 1",
      """
      Y2NvcHlfcmVnCl9yZWNvbnN0cnVjdG9yCnEAKGNrZXJhcy5wcmVwcm9jZXNzaW5nLnRleHQKVG9rZW5pemVyCnEBY19fYnVpbHRpbl9fCm9i
      amVjdApxAk50cQNScQR9cQUoWAsAAAB3b3JkX2NvdW50c3EGY2NvbGxlY3Rpb25zCk9yZGVyZWREaWN0CnEHKVJxCChYAwAAAHRoZXEJSwNY
      AwAAAGjDqXEKSwJ1WAkAAAB3b3JkX2RvY3NxC2Njb2xsZWN0aW9ucwpkZWZhdWx0ZGljdApxDChjX19idWlsdGluX18KbG9uZwpxDXRxDlJx
      D2gJSwFzWAcAAABmaWx0ZXJzcRBYAwAAACEKCXERWAUAAABzcGxpdHESWAEAAAAgcRNYBQAAAGxvd2VycRRJMDEKWAkAAABudW1fd29yZHNx
      FUpwEQEAWA4AAABkb2N1bWVudF9jb3VudHEWTDg1ODk5MzQ1OTJMClgKAAAAY2hhcl9sZXZlbHEXSTAwClgJAAAAb292X3Rva2VucRhOWAoA
      AAB3b3JkX2luZGV4cRl9cRooaAlLAWgKSwJ1dWIu
      """
    ),
    (
      "Python 3, protocol 2",
      """
      gAJja2VyYXMucHJlcHJvY2Vzc2luZy50ZXh0ClRva2VuaXplcgpxACmBcQF9cQIoWAsAAAB3b3JkX2NvdW50c3EDY2NvbGxlY3Rpb25zCk9y
      ZGVyZWREaWN0CnEEKVJxBShYAwAAAHRoZXEGSwNYAwAAAGjDqXEHSwJ1WAkAAAB3b3JkX2RvY3NxCGNjb2xsZWN0aW9ucwpkZWZhdWx0ZGlj
      dApxCWNfX2J1aWx0aW5fXwpsb25nCnEKhXELUnEMaAZLAXNYBwAAAGZpbHRlcnNxDVgDAAAAIQoJcQ5YBQAAAHNwbGl0cQ9YAQAAACBxEFgF
      AAAAbG93ZXJxEYhYCQAAAG51bV93b3Jkc3ESSnARAQBYDgAAAGRvY3VtZW50X2NvdW50cROKBQAAAAACWAoAAABjaGFyX2xldmVscRSJWAkA
      AABvb3ZfdG9rZW5xFU5YCgAAAHdvcmRfaW5kZXhxFn1xFyhoBksBaAdLAnV1Yi4=
      """
    ),
    (
      "Python 3, protocol 3",
      """
      gANja2VyYXMucHJlcHJvY2Vzc2luZy50ZXh0ClRva2VuaXplcgpxACmBcQF9cQIoWAsAAAB3b3JkX2NvdW50c3EDY2NvbGxlY3Rpb25zCk9y
      ZGVyZWREaWN0CnEEKVJxBShYAwAAAHRoZXEGSwNYAwAAAGjDqXEHSwJ1WAkAAAB3b3JkX2RvY3NxCGNjb2xsZWN0aW9ucwpkZWZhdWx0ZGlj
      dApxCWNidWlsdGlucwppbnQKcQqFcQtScQxoBksBc1gHAAAAZmlsdGVyc3ENWAMAAAAhCglxDlgFAAAAc3BsaXRxD1gBAAAAIHEQWAUAAABs
      b3dlcnERiFgJAAAAbnVtX3dvcmRzcRJKcBEBAFgOAAAAZG9jdW1lbnRfY291bnRxE4oFAAAAAAJYCgAAAGNoYXJfbGV2ZWxxFIlYCQAAAG9v
      dl90b2tlbnEVTlgKAAAAd29yZF9pbmRleHEWfXEXKGgGSwFoB0sCdXViLg==
      """
    ),
    (
      "Python 3, protocol 4",
      """
      gASVLwEAAAAAAACMGGtlcmFzLnByZXByb2Nlc3NpbmcudGV4dJSMCVRva2VuaXplcpSTlCmBlH2UKIwLd29yZF9jb3VudHOUjAtjb2xsZWN0
      aW9uc5SMC09yZGVyZWREaWN0lJOUKVKUKIwDdGhllEsDjANow6mUSwJ1jAl3b3JkX2RvY3OUaAaMC2RlZmF1bHRkaWN0lJOUjAhidWlsdGlu
      c5SMA2ludJSTlIWUUpRoCksBc4wHZmlsdGVyc5SMAyEKCZSMBXNwbGl0lIwBIJSMBWxvd2VylIiMCW51bV93b3Jkc5RKcBEBAIwOZG9jdW1l
      bnRfY291bnSUigUAAAAAAowKY2hhcl9sZXZlbJSJjAlvb3ZfdG9rZW6UTowKd29yZF9pbmRleJR9lChoCksBaAtLAnV1Yi4=
      """
    ),
    (
      "Python 3, protocol 5",
      """
      gAWVLwEAAAAAAACMGGtlcmFzLnByZXByb2Nlc3NpbmcudGV4dJSMCVRva2VuaXplcpSTlCmBlH2UKIwLd29yZF9jb3VudHOUjAtjb2xsZWN0
      aW9uc5SMC09yZGVyZWREaWN0lJOUKVKUKIwDdGhllEsDjANow6mUSwJ1jAl3b3JkX2RvY3OUaAaMC2RlZmF1bHRkaWN0lJOUjAhidWlsdGlu
      c5SMA2ludJSTlIWUUpRoCksBc4wHZmlsdGVyc5SMAyEKCZSMBXNwbGl0lIwBIJSMBWxvd2VylIiMCW51bV93b3Jkc5RKcBEBAIwOZG9jdW1l
      bnRfY291bnSUigUAAAAAAowKY2hhcl9sZXZlbJSJjAlvb3ZfdG9rZW6UTowKd29yZF9pbmRleJR9lChoCksBaAtLAnV1Yi4=
      """
    ),
  ]
}
