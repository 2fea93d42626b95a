#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "net/frame.h"

#define MOST 32768

static void a_whole_frame_is_found(void **state)
{
	const uint8_t bytes[] = { 3, 'a', 'b', 'c', 9 };
	struct frame f;

	(void)state;
	assert_int_equal(frame_next(bytes, sizeof bytes, MOST, &f), FRAME_WHOLE);
	assert_ptr_equal(f.body, bytes + 1);
	assert_int_equal(f.length, 3);
	assert_int_equal(f.whole, 4);
}

static void an_empty_frame_is_whole(void **state)
{
	struct frame f;

	(void)state;
	assert_int_equal(frame_next((const uint8_t[]){ 0 }, 1, MOST, &f), FRAME_WHOLE);
	assert_int_equal(f.length, 0);
	assert_int_equal(f.whole, 1);
}

/* Every prefix of a frame is a part, whatever the length of its head. */
static void every_prefix_is_a_part(void **state)
{
	static const size_t lengths[] = { 1, 127, 128, 300, 16383, 16384, MOST };
	struct frame f;

	(void)state;
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		uint8_t *bytes = calloc(1, lengths[i] + FRAME_HEAD_MOST);
		size_t head = frame_head(bytes, lengths[i]);
		size_t whole = head + lengths[i];

		assert_int_equal(head, frame_head_size(lengths[i]));
		for (size_t n = 0; n < whole; n += n < 8 ? 1 : 97)
			assert_int_equal(frame_next(bytes, n, MOST, &f), FRAME_PART);
		assert_int_equal(frame_next(bytes, whole - 1, MOST, &f), FRAME_PART);
		assert_int_equal(frame_next(bytes, whole, MOST, &f), FRAME_WHOLE);
		assert_int_equal(f.length, lengths[i]);
		assert_int_equal(f.whole, whole);
		free(bytes);
	}
}

struct bad_row {
	uint8_t bytes[12];
	size_t length;
	enum frame_result expected;
};

static void bad_lengths_are_refused_before_their_bytes_come(void **state)
{
	static const struct bad_row rows[] = {
		{ { 0x81, 0x80, 0x02 }, 3, FRAME_TOO_LARGE },                 /* 32769 */
		{ { 0x80, 0x80, 0x02 }, 3, FRAME_PART },                      /* 32768 */
		{ { 0xff, 0xff, 0xff, 0xff, 0x0f }, 5, FRAME_TOO_LARGE },     /* 2^32 - 1 */
		{ { 0xff, 0xff, 0xff, 0xff, 0x1f }, 5, FRAME_BAD_LENGTH },    /* over 32 bits */
		{ { 0x80, 0x00 }, 2, FRAME_BAD_LENGTH },                      /* 0 in two bytes */
		{ { 0x83, 0x80, 0x00, 'a', 'b', 'c' }, 6, FRAME_BAD_LENGTH }, /* 3 in three bytes */
		{ { 0x80, 0x80, 0x80, 0x80, 0x80 }, 5, FRAME_BAD_LENGTH },    /* no end within five */
		{ { 0x80, 0x80, 0x80, 0x80, 0x80, 0x01 }, 6, FRAME_BAD_LENGTH },
		{ { 0x80, 0x80, 0x80, 0x80 }, 4, FRAME_PART },
	};
	struct frame f;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(frame_next(rows[i].bytes, rows[i].length, MOST, &f), rows[i].expected);
}

/* However a run of frames is cut, the same frames come out. */
static void any_cut_gives_the_same_frames(void **state)
{
	uint8_t bytes[4096];
	size_t length = 0;

	(void)state;
	for (size_t n = 0; n < 300; n += 37) {
		length += frame_head(bytes + length, n);
		memset(bytes + length, (int)n, n);
		length += n;
	}
	for (size_t cut = 0; cut <= length; cut++) {
		size_t at = 0, expected = 0;
		struct frame f;

		for (int turn = 0; turn < 2; turn++) {
			size_t end = turn == 0 ? cut : length;

			while (frame_next(bytes + at, end - at, MOST, &f) == FRAME_WHOLE) {
				assert_int_equal(f.length, expected);
				assert_true(f.length == 0 || f.body[f.length - 1] == (uint8_t)expected);
				at += f.whole;
				expected += 37;
			}
		}
		assert_int_equal(expected, 333);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_frame_is_found),
		cmocka_unit_test(an_empty_frame_is_whole),
		cmocka_unit_test(every_prefix_is_a_part),
		cmocka_unit_test(bad_lengths_are_refused_before_their_bytes_come),
		cmocka_unit_test(any_cut_gives_the_same_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
