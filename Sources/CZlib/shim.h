// The calls of zlib that Swift cannot import by itself: zlib's own init functions are macros.
#ifndef PERIGEE_CZLIB_SHIM_H
#define PERIGEE_CZLIB_SHIM_H

#include <zlib.h>

/// Begins raw DEFLATE decompression, without header or checksum; `window_bits` is 8 to 15. Answers Z_OK or an error.
static inline int perigee_inflate_begin(z_stream *stream, int window_bits) {
    return inflateInit2(stream, -window_bits);
}

/// Begins raw DEFLATE compression; `level` is 1 to 9, `window_bits` 9 to 15, `memory_level` 1 to 9. Answers Z_OK or an
/// error.
static inline int perigee_deflate_begin(z_stream *stream, int level, int window_bits, int memory_level) {
    return deflateInit2(stream, level, Z_DEFLATED, -window_bits, memory_level, Z_DEFAULT_STRATEGY);
}

#endif
