/* uuid: 16-byte keys, RFC 9562. A UUIDv7 begins with 48 bits of Unix milliseconds, so keys sort by time. */
#ifndef BASE_UUID_H
#define BASE_UUID_H

#include <stdint.h>

#include "base/must.h"

#define UUID_SIZE 16
#define UUID_TEXT_SIZE 37

struct uuid {
	uint8_t bytes[UUID_SIZE];
};

/* A new version 7 key for this time; random bits from getrandom(2). */
struct uuid uuid_new(int64_t unix_ms);
/* The same key for the same name and time, for replays: version 7 whose random bits are taken from SHA-256(name). */
struct uuid uuid_from_name(int64_t unix_ms, const char *name);
/* Milliseconds for a version 7 key, 0 for any other. */
int64_t uuid_time_ms(const struct uuid *id);
_Bool uuid_is_zero(const struct uuid *id);
void uuid_text(const struct uuid *id, char out[UUID_TEXT_SIZE]);

#endif
