#include "base/uuid.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/random.h"

#define TIME_BYTES 6
#define TIME_MOST ((INT64_C(1) << 48) - 1)
#define VERSION_BYTE 6
#define VARIANT_BYTE 8

/* Puts time, version and variant over ten random bytes that already stand behind the time. */
static void stamp(struct uuid *id, int64_t unix_ms)
{
	uint64_t ms = unix_ms < 0 ? 0 : unix_ms > TIME_MOST ? (uint64_t)TIME_MOST : (uint64_t)unix_ms;

	for (int i = TIME_BYTES - 1; i >= 0; i--) {
		id->bytes[i] = (uint8_t)ms;
		ms >>= 8;
	}
	id->bytes[VERSION_BYTE] = (uint8_t)(0x70 | (id->bytes[VERSION_BYTE] & 0x0f));
	id->bytes[VARIANT_BYTE] = (uint8_t)(0x80 | (id->bytes[VARIANT_BYTE] & 0x3f));
}

struct uuid uuid_new(int64_t unix_ms)
{
	struct uuid id;

	random_fill(id.bytes + TIME_BYTES, UUID_SIZE - TIME_BYTES);
	stamp(&id, unix_ms);
	return id;
}

struct uuid uuid_from_name(int64_t unix_ms, const char *name)
{
	struct uuid id;
	unsigned char hash[EVP_MAX_MD_SIZE];

	must(EVP_Q_digest(NULL, "SHA256", NULL, name, strlen(name), hash, NULL) == 1);
	memcpy(id.bytes + TIME_BYTES, hash, UUID_SIZE - TIME_BYTES);
	stamp(&id, unix_ms);
	return id;
}

int64_t uuid_time_ms(const struct uuid *id)
{
	int64_t ms = 0;

	if ((id->bytes[VERSION_BYTE] & 0xf0) != 0x70 || (id->bytes[VARIANT_BYTE] & 0xc0) != 0x80)
		return 0;
	for (int i = 0; i < TIME_BYTES; i++)
		ms = ms << 8 | id->bytes[i];
	return ms;
}

_Bool uuid_is_zero(const struct uuid *id)
{
	static const struct uuid zero;

	return memcmp(id, &zero, sizeof zero) == 0;
}

void uuid_text(const struct uuid *id, char out[UUID_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	char *to = out;

	for (int i = 0; i < UUID_SIZE; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*to++ = '-';
		*to++ = digits[id->bytes[i] >> 4];
		*to++ = digits[id->bytes[i] & 15];
	}
	*to = '\0';
}
