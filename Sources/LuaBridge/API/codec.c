// Base64 and hexadecimal digits.
#include "codec.h"

static const char *const alphabets[] = {
    [BASE64_STANDARD] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    [BASE64_URL] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
};

size_t base64_encode(const void *bytes, size_t count, char *text, Base64Alphabet alphabet)
{
    const uint8_t *next = bytes;
    const char *digits = alphabets[alphabet];
    char *end = text;
    for (; count >= 3; count -= 3, next += 3) {
        uint32_t group = (uint32_t)next[0] << 16 | (uint32_t)next[1] << 8 | next[2];
        *end++ = digits[group >> 18];
        *end++ = digits[group >> 12 & 63];
        *end++ = digits[group >> 6 & 63];
        *end++ = digits[group & 63];
    }
    if (count == 0) {
        return (size_t)(end - text);
    }
    uint32_t group = (uint32_t)next[0] << 16 | (count == 2 ? (uint32_t)next[1] << 8 : 0);
    *end++ = digits[group >> 18];
    *end++ = digits[group >> 12 & 63];
    if (count == 2) {
        *end++ = digits[group >> 6 & 63];
    }
    for (size_t i = count; alphabet == BASE64_STANDARD && i < 3; i++) {
        *end++ = '=';
    }
    return (size_t)(end - text);
}

// The value of a character, negative if it is not in the alphabet.
static int base64_value(char character, Base64Alphabet alphabet)
{
    if (character >= 'A' && character <= 'Z') {
        return character - 'A';
    }
    if (character >= 'a' && character <= 'z') {
        return character - 'a' + 26;
    }
    if (character >= '0' && character <= '9') {
        return character - '0' + 52;
    }
    if (character == (alphabet == BASE64_URL ? '-' : '+')) {
        return 62;
    }
    return character == (alphabet == BASE64_URL ? '_' : '/') ? 63 : -1;
}

bool base64_decode(const char *text, size_t count, Base64Alphabet alphabet, uint8_t *bytes, size_t *written)
{
    if (count > 0 && count % 4 == 0 && text[count - 1] == '=') {
        count -= text[count - 2] == '=' ? 2 : 1;
    }
    uint32_t bits = 0;
    int held = 0;
    *written = 0;
    for (size_t i = 0; i < count; i++) {
        int value = base64_value(text[i], alphabet);
        if (value < 0) {
            return false;
        }
        bits = (bits << 6 | (uint32_t)value) & 0xFFFF;
        held += 6;
        if (held >= 8) {
            held -= 8;
            bytes[(*written)++] = (uint8_t)(bits >> held);
        }
    }
    return held < 6 && (bits & ((1u << held) - 1)) == 0;
}

void hex_encode(const void *bytes, size_t count, char *text)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *next = bytes;
    for (size_t i = 0; i < count; i++) {
        text[2 * i] = digits[next[i] >> 4];
        text[2 * i + 1] = digits[next[i] & 15];
    }
}

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    char lower = (char)(digit | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool hex_decode(const char *text, size_t count, uint8_t *bytes)
{
    if (count % 2 != 0) {
        return false;
    }
    for (size_t i = 0; i < count; i += 2) {
        int high = hex_value(text[i]);
        int low = hex_value(text[i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        bytes[i / 2] = (uint8_t)(high << 4 | low);
    }
    return true;
}
