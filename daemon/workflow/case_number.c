/* case_number: codes and ids as text and back. */
#include "workflow/case_number.h"

#include <string.h>

#include "base/clock.h"
#include "base/must.h"

int32_t category_from_text(const char *text)
{
	if ((text[0] != 'E' && text[0] != 'C') || strlen(text) != 5)
		return 0;
	int32_t digits = 0;
	for (int i = 1; i < 5; i++) {
		if (text[i] < '0' || text[i] > '9')
			return 0;
		digits = digits * 10 + (text[i] - '0');
	}
	return digits == 0 ? 0 : (text[0] == 'E' ? 10000 : 20000) + digits;
}

void category_text(int32_t category, char out[CATEGORY_TEXT_SIZE])
{
	if (category < 10000 || category > 29999)
		category = 10000;
	unsigned digits = (unsigned)category % 10000;
	out[0] = category >= 20000 ? 'C' : 'E';
	for (int i = 4; i >= 1; i--, digits /= 10)
		out[i] = (char)('0' + digits % 10);
	out[5] = '\0';
}

/* ---- case ids ---- */

#define DAY_2000 10957 /* 2000-01-01 as days since 1970 */
#define SEQUENCE_BITS 26
#define DAY_BITS 20

int64_t case_id_make(int shard, int32_t day_since_1970, int32_t sequence)
{
	int64_t day = day_since_1970 > DAY_2000 ? day_since_1970 - DAY_2000 : 0;
	must(sequence >= 0 && sequence <= CASE_SEQUENCE_MOST && day < (1 << DAY_BITS));
	return ((int64_t)shard << (DAY_BITS + SEQUENCE_BITS)) | (day << SEQUENCE_BITS) | sequence;
}

int32_t case_id_day(int64_t id)
{
	return (int32_t)((id >> SEQUENCE_BITS) & ((1 << DAY_BITS) - 1)) + DAY_2000;
}

int32_t case_id_sequence(int64_t id)
{
	return (int32_t)(id & CASE_SEQUENCE_MOST);
}

static int case_id_shard(int64_t id)
{
	return (int)(id >> (DAY_BITS + SEQUENCE_BITS));
}

/* value in decimal with zeros in front up to width; how many bytes were written. */
static int put_digits(char *out, int64_t value, int width)
{
	char digits[20];
	int count = 0;
	for (; value > 0 || count < width || count == 0; value /= 10)
		digits[count++] = (char)('0' + value % 10);
	for (int i = 0; i < count; i++)
		out[i] = digits[count - 1 - i];
	return count;
}

/* By hand and not by printf, for every answer carries one. */
void case_number_text(int64_t id, int32_t category, char out[CASE_NUMBER_SIZE])
{
	category_text(category, out);
	int used = CATEGORY_TEXT_SIZE - 1;
	used += put_digits(out + used, clock_day_to_ymd(case_id_day(id)), 8);
	if (case_id_shard(id) != 0) {
		used += put_digits(out + used, case_id_shard(id), 1);
		out[used++] = '-';
	}
	used += put_digits(out + used, case_id_sequence(id), 5);
	out[used] = '\0';
}

/* Digits of at most `most` places; moves *at past them. -1: none, or too many. */
static int64_t digits_at(const char **at, int most)
{
	int64_t value = 0;
	int n = 0;
	for (; **at >= '0' && **at <= '9'; (*at)++, n++)
		value = n < most ? value * 10 + (**at - '0') : value;
	return n == 0 || n > most ? -1 : value;
}

int64_t case_number_id(const char *number)
{
	char head[14] = { 0 };
	if (strlen(number) < 18 || strlen(number) >= CASE_NUMBER_SIZE)
		return 0;
	memcpy(head, number, 5);
	if (category_from_text(head) == 0)
		return 0;
	memcpy(head, number + 5, 8);
	head[8] = '\0';
	const char *at = head;
	int64_t ymd = digits_at(&at, 8);
	int32_t day = ymd > 0 && *at == '\0' ? clock_ymd_to_day((int32_t)ymd) : -1;
	at = number + 13;
	int64_t shard = 0, sequence = digits_at(&at, 8);
	if (*at == '-') {
		shard = sequence;
		at++;
		sequence = digits_at(&at, 8);
	}
	/* A number comes from anybody: a date that no id has room for is no case's. */
	if (day < DAY_2000 || day - DAY_2000 >= 1 << DAY_BITS || *at != '\0' || shard < 0 || shard > 1023 ||
	    sequence < 0 || sequence > CASE_SEQUENCE_MOST)
		return 0;
	return case_id_make((int)shard, day, (int32_t)sequence);
}
