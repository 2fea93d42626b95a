#include "store/tar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OCTAL_MOST INT64_C(077777777777)
#define FILE_MODE 0600

/* Where a field of the header stands and how long it is (POSIX.1-2017, pax, "ustar Interchange Format"). */
enum { NAME = 0, MODE = 100, UID = 108, GID = 116, SIZE = 124, MTIME = 136, SUM = 148, TYPE = 156, MAGIC = 257 };
enum { SHORT_NUMBER = 8, LONG_NUMBER = 12, SUM_SIZE = 8, MAGIC_SIZE = 8 };

static const uint8_t magic[MAGIC_SIZE] = { 'u', 's', 't', 'a', 'r', '\0', '0', '0' };

static void put_octal(uint8_t *at, int size, int64_t value)
{
	char text[16];

	(void)snprintf(text, sizeof text, "%0*llo", size - 1, (unsigned long long)value);
	memcpy(at, text, (size_t)size);
}

static void put_size(uint8_t *at, int64_t value)
{
	if (value <= OCTAL_MOST) {
		put_octal(at, LONG_NUMBER, value);
		return;
	}
	memset(at, 0, LONG_NUMBER);
	at[0] = 0x80;
	for (int i = 0; i < 8; i++)
		at[LONG_NUMBER - 1 - i] = (uint8_t)(value >> (8 * i));
}

/* The header's bytes added up, its own sum taken for spaces. */
static unsigned sum_of(const uint8_t block[TAR_BLOCK])
{
	unsigned sum = 0;

	for (int i = 0; i < TAR_BLOCK; i++)
		sum += i >= SUM && i < SUM + SUM_SIZE ? ' ' : block[i];
	return sum;
}

/* Six digits, a zero, a space, as every tar writes it. */
static void put_sum(const uint8_t block[TAR_BLOCK], uint8_t out[SUM_SIZE])
{
	put_octal(out, SUM_SIZE - 1, sum_of(block));
	out[SUM_SIZE - 1] = ' ';
}

void tar_header(const struct tar_entry *e, uint8_t out[TAR_BLOCK])
{
	memset(out, 0, TAR_BLOCK);
	memcpy(out + NAME, e->name, strnlen(e->name, TAR_NAME_SIZE - 1));
	put_octal(out + MODE, SHORT_NUMBER, FILE_MODE);
	put_octal(out + UID, SHORT_NUMBER, 0);
	put_octal(out + GID, SHORT_NUMBER, 0);
	put_size(out + SIZE, e->size);
	put_octal(out + MTIME, LONG_NUMBER, e->mtime < 0 || e->mtime > OCTAL_MOST ? 0 : e->mtime);
	out[TYPE] = '0';
	memcpy(out + MAGIC, magic, sizeof magic);
	put_sum(out, out + SUM);
}

/* -1: no number. */
static int64_t octal_at(const uint8_t *at, int size)
{
	char text[LONG_NUMBER + 1] = "", *end;

	memcpy(text, at, (size_t)size);
	long long value = strtoll(text, &end, 8);

	return end != text && (*end == '\0' || *end == ' ') && value >= 0 ? value : -1;
}

static int64_t size_at(const uint8_t *at)
{
	uint64_t value = 0;

	if (at[0] != 0x80)
		return octal_at(at, LONG_NUMBER);
	for (int i = LONG_NUMBER - 8; i < LONG_NUMBER; i++)
		value = value << 8 | at[i];
	return value > INT64_MAX - TAR_BLOCK ? -1 : (int64_t)value;
}

enum tar_kind tar_read(const uint8_t block[TAR_BLOCK], struct tar_entry *out)
{
	static const uint8_t zeros[TAR_BLOCK];
	uint8_t sum[SUM_SIZE];

	if (memcmp(block, zeros, TAR_BLOCK) == 0)
		return TAR_OVER;
	*out = (struct tar_entry){ .size = size_at(block + SIZE) };
	memcpy(out->name, block + NAME, TAR_NAME_SIZE - 1);
	put_sum(block, sum);
	if (memcmp(block + MAGIC, magic, 5) != 0 || memcmp(block + SUM, sum, sizeof sum) != 0 || out->size < 0 ||
	    (block[TYPE] != '0' && block[TYPE] != '\0'))
		return TAR_WRONG;
	return TAR_FILE;
}

int tar_padding(int64_t size)
{
	return (int)((TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK);
}
