#include "base/digest.h"

#include <ctype.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

/* What goes before every text and number, so that no two lists of fields hash alike. */
enum tag { TAG_NULL = 0, TAG_TEXT = 1, TAG_INT = 2 };

/* A request is some thirty short pieces; put together first, they cost one call of the library instead of thirty. */
#define GATHERED_MOST 512

struct digester {
	EVP_MD *method;
	EVP_MD_CTX *context;
	size_t gathered;
	uint8_t bytes[GATHERED_MOST];
};

struct digester *digester_new(void)
{
	struct digester *d = must_calloc(1, sizeof *d);

	d->method = EVP_MD_fetch(NULL, "SHA256", NULL);
	must(d->method);
	d->context = EVP_MD_CTX_new();
	must(d->context);
	return d;
}

void digester_free(struct digester *d)
{
	if (!d)
		return;
	EVP_MD_CTX_free(d->context);
	EVP_MD_free(d->method);
	free(d);
}

void digest_begin(struct digester *d)
{
	must(EVP_DigestInit_ex2(d->context, d->method, NULL) == 1);
	d->gathered = 0;
}

static void pass_on(struct digester *d)
{
	if (d->gathered > 0)
		must(EVP_DigestUpdate(d->context, d->bytes, d->gathered) == 1);
	d->gathered = 0;
}

void digest_add(struct digester *d, const void *bytes, size_t length)
{
	if (length > GATHERED_MOST - d->gathered)
		pass_on(d);
	if (length > GATHERED_MOST) {
		must(EVP_DigestUpdate(d->context, bytes, length) == 1);
	} else if (length > 0) {
		memcpy(d->bytes + d->gathered, bytes, length);
		d->gathered += length;
	}
}

static void add_tagged(struct digester *d, enum tag tag, uint64_t value)
{
	uint8_t head[9] = { (uint8_t)tag };

	for (int i = 0; i < 8; i++)
		head[1 + i] = (uint8_t)(value >> (8 * i));
	digest_add(d, head, sizeof head);
}

void digest_add_text(struct digester *d, const char *text)
{
	if (!text) {
		add_tagged(d, TAG_NULL, 0);
		return;
	}

	size_t length = strlen(text);

	add_tagged(d, TAG_TEXT, length);
	digest_add(d, text, length);
}

void digest_add_int(struct digester *d, int64_t value)
{
	add_tagged(d, TAG_INT, (uint64_t)value);
}

void digest_end(struct digester *d, uint8_t out[DIGEST_SIZE])
{
	pass_on(d);
	must(EVP_DigestFinal_ex(d->context, out, NULL) == 1);
}

void digest_text(const uint8_t digest[DIGEST_SIZE], char out[DIGEST_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < DIGEST_SIZE; i++) {
		out[2 * i] = digits[digest[i] >> 4];
		out[2 * i + 1] = digits[digest[i] & 15];
	}
	out[DIGEST_TEXT_SIZE - 1] = '\0';
}

_Bool digest_matches(struct digester *d, const char *secret, size_t length, const char *hex)
{
	uint8_t hash[DIGEST_SIZE];
	char mine[DIGEST_TEXT_SIZE], theirs[DIGEST_TEXT_SIZE];

	if (!hex || strlen(hex) != DIGEST_TEXT_SIZE - 1)
		return 0;
	for (size_t i = 0; i < DIGEST_TEXT_SIZE; i++)
		theirs[i] = (char)tolower((unsigned char)hex[i]);
	digest_begin(d);
	digest_add(d, secret, length);
	digest_end(d, hash);
	digest_text(hash, mine);
	return CRYPTO_memcmp(mine, theirs, DIGEST_TEXT_SIZE - 1) == 0;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

_Bool digest_from_text(const char *hex, uint8_t out[DIGEST_SIZE])
{
	if (strlen(hex) != DIGEST_TEXT_SIZE - 1)
		return 0;
	for (int i = 0; i < DIGEST_SIZE; i++) {
		int high = hex_value(hex[2 * i]), low = hex_value(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return 0;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return 1;
}

_Bool digest_same(const uint8_t a[DIGEST_SIZE], const uint8_t b[DIGEST_SIZE])
{
	return CRYPTO_memcmp(a, b, DIGEST_SIZE) == 0;
}
