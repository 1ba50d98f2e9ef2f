// Numbers in JSON. An integer keeps all its digits. A double gets the fewest digits that read back as the same double;
// a whole double below 2^53 is written as an integer, without a point.
//
// Most doubles in practice have few decimals, and their digits are found by arithmetic. The others start from the
// seventeen digits of the C library, which always read back; if fifteen or sixteen digits also do, the rest is dropped.
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

static const double powers[] = {
    1,    1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
};

enum { most_decimals = 9, most_digits = 17 };

// A number as its digits, without zeros at the end, and the power of ten of the last one.
typedef struct Decimal {
    uint64_t digits;
    int exponent;
} Decimal;

// Writes the digits of a number, at least `least` of them. Never raises.
static char *write_digits(char *to, uint64_t value, int least)
{
    char digits[20];
    int count = 0;
    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0 || count < least);
    while (count > 0) {
        *to++ = digits[--count];
    }
    return to;
}

char *json_write_integer(char *to, lua_Integer value)
{
    if (value < 0) {
        *to++ = '-';
    }
    return write_digits(to, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 1);
}

// Writes a double that has at most nine decimals and fifteen digits; NULL when it has more. A division of two integers
// that doubles hold exactly is rounded correctly, so digits that give the double by it also read back as the double. No
// two decimals of at most fifteen digits are the same double, so there are no fewer digits that do. Never raises.
static char *write_decimals(char *to, double size)
{
    for (int decimals = 1; decimals <= most_decimals; decimals++) {
        double scaled = size * powers[decimals];
        if (scaled >= 1e15) {
            return NULL;
        }
        uint64_t digits = (uint64_t)(scaled + 0.5);
        if ((double)digits / powers[decimals] != size) {
            continue;
        }
        uint64_t unit = (uint64_t)powers[decimals];
        to = write_digits(to, digits / unit, 1);
        *to++ = '.';
        return write_digits(to, digits % unit, decimals);
    }
    return NULL;
}

// Whether the digits read back as the double. Never raises.
static bool reads_back(Decimal decimal, double size)
{
    int power = abs(decimal.exponent);
    if (decimal.digits < 1ull << 53 && power < LENGTH(powers)) { // both are exact, so this is rounded correctly
        double digits = (double)decimal.digits;
        return (decimal.exponent < 0 ? digits / powers[power] : digits * powers[power]) == size;
    }
    char text[json_number_room];
    char *end = write_digits(text, decimal.digits, 1);
    snprintf(end, 8, "e%d", decimal.exponent);
    return strtod(text, NULL) == size;
}

// The fewest digits that read back as the double. Never raises.
static Decimal shortest(double size)
{
    char text[json_number_room];
    snprintf(text, sizeof text, "%.*e", most_digits - 1, size);
    uint64_t all = (uint64_t)(text[0] - '0');
    for (int i = 2; i <= most_digits; i++) {
        all = all * 10 + (uint64_t)(text[i] - '0');
    }
    int exponent = atoi(text + most_digits + 2) - (most_digits - 1);
    Decimal found = {all, exponent};
    // A normal double is the only one near its first fifteen digits, but below the normal ones a few may be enough.
    uint64_t unit = size < 2.2250738585072014e-308 ? 10000000000000000 : 100;
    int dropped = size < 2.2250738585072014e-308 ? 16 : 2;
    for (; dropped > 0; unit /= 10, dropped--) {
        // First the nearest number with this many digits, then the next above: next to a power of two the doubles below
        // are closer together than those above, so the nearest may belong to another double.
        uint64_t nearest = (all + unit / 2) / unit;
        Decimal first = {nearest, exponent + dropped};
        Decimal second = {nearest * unit > all ? nearest - 1 : nearest + 1, exponent + dropped};
        if (reads_back(first, size) || (reads_back(second, size) && (first = second, true))) {
            found = first;
            break;
        }
    }
    while (found.digits % 10 == 0) {
        found.digits /= 10;
        found.exponent += 1;
    }
    return found;
}

// Writes digits with the point where it belongs, or as a power of ten when that is not among them or far away: a whole
// double that is written here is beyond 2^53, and its digits are not those of an integer. Never raises.
static char *write_decimal(char *to, Decimal decimal)
{
    char digits[20];
    int count = (int)(write_digits(digits, decimal.digits, 1) - digits);
    int point = count + decimal.exponent; // digits before the point
    if (point < -3 || point >= count) {
        *to++ = digits[0];
        if (count > 1) {
            *to++ = '.';
            memcpy(to, digits + 1, (size_t)count - 1);
            to += count - 1;
        }
        return to + sprintf(to, "e%+03d", point - 1);
    }
    if (point <= 0) {
        memcpy(to, "0.000", 5);
        memcpy(to + 2 - point, digits, (size_t)count);
        return to + 2 - point + count;
    }
    memcpy(to, digits, (size_t)point);
    to[point] = '.';
    memcpy(to + point + 1, digits + point, (size_t)(count - point));
    return to + count + 1;
}

char *json_write_double(char *to, double value)
{
    double size = fabs(value);
    if (signbit(value)) {
        *to++ = '-';
    }
    if (size < 9007199254740992.0 && size == floor(size)) {
        return write_digits(to, (uint64_t)size, 1);
    }
    char *end = size >= 1e-4 ? write_decimals(to, size) : NULL;
    return end != NULL ? end : write_decimal(to, shortest(size));
}
