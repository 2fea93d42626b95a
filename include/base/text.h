/* text: bytes from a peer become text here or nowhere. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "base/must.h"

enum text_kind {
	TEXT_LINE,  /* no control characters at all */
	TEXT_PROSE, /* newline and tab allowed */
	TEXT_ID     /* letters, digits and - _ . / : @ only, ASCII */
};

/* Whether the bytes are well-formed UTF-8 (no overlong forms, surrogates, NUL) of this kind. */
_Bool text_is(enum text_kind kind, const uint8_t *bytes, size_t length);
/* Columns a terminal needs for the UTF-8 text (CJK and full-width count two). */
size_t text_columns(const char *text);
/* The length in bytes of the longest prefix of at most `most` bytes that cuts no character. */
size_t text_cut(const char *text, size_t most);
/* strtoll with no surprises: whole string, base 10, within [least, most]. */
_Bool text_to_int(const char *text, int64_t least, int64_t most, int64_t *out) MUST_USE;
/* Whole string, finite. */
_Bool text_to_double(const char *text, double *out) MUST_USE;
/* "90s", "15m", "4h", "7d" or plain milliseconds "1500ms" → ms. */
_Bool text_to_span(const char *text, int64_t *out_ms) MUST_USE;

#endif
