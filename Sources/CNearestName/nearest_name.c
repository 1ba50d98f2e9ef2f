// The distance is that of Damerau and Levenshtein in its restricted form: no byte is edited twice.
#include "CNearestName.h"

enum { columns = nearest_name_longest + 1 };

static unsigned char lower(char letter)
{
    return letter >= 'A' && letter <= 'Z' ? (unsigned char)(letter + ('a' - 'A')) : (unsigned char)letter;
}

static size_t smaller(size_t left, size_t right) { return left < right ? left : right; }

void nearest_name_begin(nearest_name_search *search, const char *name, size_t length)
{
    search->length = length;
    search->fewest = length / 3 + 1;
    if (length > sizeof search->name) {
        // Every known name is too short for this one.
        search->fewest = 0;
        return;
    }
    for (size_t i = 0; i < length; i++) {
        search->name[i] = lower(name[i]);
    }
}

// How many edits turn the searched name into `known`, which has at most nearest_name_longest bytes.
static size_t edits(const nearest_name_search *search, const char *known, size_t length)
{
    size_t rows[3][columns];
    size_t *before_last = rows[0], *last = rows[1], *row = rows[2];
    for (size_t j = 0; j <= length; j++) {
        last[j] = j;
    }
    for (size_t i = 0; i < search->length; i++) {
        unsigned char letter = search->name[i];
        row[0] = i + 1;
        for (size_t j = 0; j < length; j++) {
            unsigned char wanted = lower(known[j]);
            size_t best = smaller(last[j] + (letter != wanted), smaller(last[j + 1], row[j]) + 1);
            if (i > 0 && j > 0 && letter == lower(known[j - 1]) && search->name[i - 1] == wanted) {
                best = smaller(best, before_last[j - 1] + 1);
            }
            row[j + 1] = best;
        }
        size_t *oldest = before_last;
        before_last = last;
        last = row;
        row = oldest;
    }
    return last[length];
}

bool nearest_name_offer(nearest_name_search *search, const char *known, size_t length)
{
    size_t apart = length > search->length ? length - search->length : search->length - length;
    if (length > nearest_name_longest || apart >= search->fewest) {
        return false;
    }
    size_t needed = edits(search, known, length);
    if (needed >= search->fewest) {
        return false;
    }
    search->fewest = needed;
    return true;
}
