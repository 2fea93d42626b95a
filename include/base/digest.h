/* digest: SHA-256 by libcrypto, with the method fetched once. One digester a thread. */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/must.h"

#define DIGEST_SIZE 32
#define DIGEST_TEXT_SIZE 65

struct digester;

struct digester *digester_new(void) MUST_USE;
void digester_free(struct digester *d);
/* Begin, add any number of times, end: out gets 32 bytes. */
void digest_begin(struct digester *d);
void digest_add(struct digester *d, const void *bytes, size_t length);
/* Length-prefixed, so that ("ab","c") and ("a","bc") differ; NULL is not "". */
void digest_add_text(struct digester *d, const char *text);
void digest_add_int(struct digester *d, int64_t value);
void digest_end(struct digester *d, uint8_t out[DIGEST_SIZE]);
/* Lower-case hex of bytes. */
void digest_text(const uint8_t digest[DIGEST_SIZE], char out[DIGEST_TEXT_SIZE]);
/* Whether SHA-256(secret) is this hex digest, compared in constant time. */
_Bool digest_matches(struct digester *d, const char *secret, size_t length, const char *hex);

/* 64 hex digits, of either case. false: they are none. */
_Bool digest_from_text(const char *hex, uint8_t out[DIGEST_SIZE]) MUST_USE;
/* In a time that does not depend on where they differ. */
_Bool digest_same(const uint8_t a[DIGEST_SIZE], const uint8_t b[DIGEST_SIZE]);

#endif
