// Base64 (RFC 4648, sections 4 and 5) and hexadecimal digits. No Lua, and no allocation.
#ifndef PERIGEE_BRIDGE_CODEC_H
#define PERIGEE_BRIDGE_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum Base64Alphabet {
    BASE64_STANDARD, // "+" and "/", with padding
    BASE64_URL,      // "-" and "_", without
} Base64Alphabet;

// Enough room for the text of `count` bytes, and for the bytes of a text.
static inline size_t base64_text_room(size_t count)
{
    return (count + 2) / 3 * 4;
}

static inline size_t base64_bytes_room(size_t count)
{
    return count / 4 * 3 + 3;
}

// Writes the text; returns its length.
size_t base64_encode(const void *bytes, size_t count, char *text, Base64Alphabet alphabet);

// Reads a text, padded or not: every character must be in the alphabet and no bit may be left over, so each value has
// one text. False for any other text.
bool base64_decode(const char *text, size_t count, Base64Alphabet alphabet, uint8_t *bytes, size_t *written);

// Writes two lower-case digits for each byte.
void hex_encode(const void *bytes, size_t count, char *text);

// Reads digits of either case, two for each byte. False if there is another character, or an odd number of digits.
bool hex_decode(const char *text, size_t count, uint8_t *bytes);

#endif
