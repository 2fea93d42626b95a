/* A table that is full forgets the least, and a hash that is the published one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/slots.h"

#define ROWS 64

struct row {
	struct slot slot;
	int64_t count;
};

static void the_hash_is_siphash(void **state)
{
	/* The paper's appendix A, and two of the reference implementation's vectors: 0, 1, 2 … under the key 0, 1, 2 … */
	static const struct {
		size_t length;
		uint64_t hash;
	} rows[] = { { 15, UINT64_C(0xa129ca6149be45e5) },
		     { 0, UINT64_C(0x726fdb47dd0e0e31) },
		     { 8, UINT64_C(0x93f5f5799a932462) } };
	uint8_t secret[SLOTS_SECRET_SIZE], bytes[16];

	(void)state;
	for (uint8_t i = 0; i < sizeof bytes; i++)
		secret[i] = bytes[i] = i;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_true(slots_hash(secret, bytes, rows[i].length) == rows[i].hash);
}

static void a_row_is_its_key_s(void **state)
{
	struct slots *s = slots_new(ROWS, sizeof(struct row));
	uint64_t li = slots_key(s, "li", 2), wang = slots_key(s, "wang", 4);

	(void)state;
	assert_true(li != wang && li == slots_key(s, "li", 2));
	assert_null(slots_find(s, li));
	struct row *r = slots_need(s, li);

	assert_int_equal(r->count, 0);
	r->count = 7;
	assert_ptr_equal(slots_find(s, li), r);
	assert_ptr_equal(slots_need(s, li), r);
	assert_ptr_not_equal(slots_need(s, wang), r);
	slots_forget(s, li);
	slots_forget(s, li);
	assert_null(slots_find(s, li));
	r = slots_need(s, li);
	assert_int_equal(r->count, 0);
	slots_free(s);
	slots_free(NULL);
}

/* Keys of one set: their remainder is the same. */
static void the_least_goes_when_there_is_no_room(void **state)
{
	struct slots *s = slots_new(ROWS, sizeof(struct row));
	const uint64_t sets = ROWS / SLOTS_WAYS;
	size_t used = 0;

	(void)state;
	for (uint64_t i = 1; i <= SLOTS_WAYS; i++) {
		struct row *r = slots_need(s, i * sets);

		r->slot.rank = i == 3 ? -5 : (int64_t)i;
		r->count = (int64_t)i;
	}
	(void)slots_need(s, 1); /* of another set: pushes nobody out */
	for (uint64_t i = 1; i <= SLOTS_WAYS; i++)
		assert_int_equal(((struct row *)slots_find(s, i * sets))->count, i);
	struct row *r = slots_need(s, 100 * sets);

	assert_int_equal(r->count, 0);
	assert_null(slots_find(s, 3 * sets));
	slots_forget(s, 7 * sets);
	r->slot.rank = -9;
	assert_int_equal(((struct row *)slots_need(s, 101 * sets))->count, 0);
	assert_non_null(slots_find(s, 100 * sets)); /* the free one was taken */
	for (size_t i = 0; slots_at(s, i); i++)
		used += ((struct slot *)slots_at(s, i))->key != 0;
	assert_int_equal(used, SLOTS_WAYS + 1);
	slots_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hash_is_siphash),
		cmocka_unit_test(a_row_is_its_key_s),
		cmocka_unit_test(the_least_goes_when_there_is_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
