#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "intake/arena.h"
#include "intake/wire.h"
#include "net/frame.h"
#include "workflow/case_number.h"
#include "workflow/domain.h"

/* Every reply written by hand must read back through the generated code as what was meant. */
static Gridloop__V1__ServerFrame *read_back(const uint8_t *bytes, size_t length)
{
	struct frame f;

	assert_int_equal(frame_next(bytes, length, 32768, &f), FRAME_WHOLE);
	assert_int_equal(f.whole, length);
	Gridloop__V1__ServerFrame *m = gridloop__v1__server_frame__unpack(NULL, f.length, f.body);

	assert_non_null(m);
	assert_int_equal(m->base.n_unknown_fields, 0);
	return m;
}

static void done_with(Gridloop__V1__ServerFrame *m)
{
	gridloop__v1__server_frame__free_unpacked(m, NULL);
}

static void assert_text(ProtobufCBinaryData got, const char *expected)
{
	assert_int_equal(got.len, strlen(expected));
	if (got.len > 0)
		assert_memory_equal(got.data, expected, got.len);
}

static int64_t an_id(int sequence)
{
	return case_id_make(0, 20778, sequence);
}

static struct outcome full_outcome(void)
{
	return (struct outcome){ .accepted = 1,
		                 .case_id = an_id(42),
		                 .category = 10110,
		                 .state = STATE_MERGED,
		                 .due_ms = INT64_C(1795000000000),
		                 .again = 1,
		                 .merged_into = an_id(7),
		                 .merged_into_category = 10110,
		                 .maybe_same_as = an_id(9),
		                 .maybe_same_category = 20203 };
}

static void an_answer_reads_back(void **state)
{
	static const uint32_t seqs[] = { 1, 127, 128, 70000, UINT32_MAX };
	uint8_t out[WIRE_REPLY_MOST];
	char number[CASE_NUMBER_SIZE];
	struct outcome o = full_outcome();

	(void)state;
	for (size_t i = 0; i < sizeof seqs / sizeof *seqs; i++) {
		Gridloop__V1__ServerFrame *m = read_back(out, wire_outcome(out, seqs[i], &o));

		assert_int_equal(m->seq, seqs[i]);
		assert_int_equal(m->body_case, GRIDLOOP__V1__SERVER_FRAME__BODY_ANSWER);
		case_number_text(o.case_id, o.category, number);
		assert_text(m->answer->case_number, number);
		assert_int_equal(m->answer->state, GRIDLOOP__V1__STATE__MERGED);
		assert_true(m->answer->due_ms == o.due_ms);
		assert_true(m->answer->again);
		case_number_text(o.merged_into, 10110, number);
		assert_text(m->answer->merged_into, number);
		case_number_text(o.maybe_same_as, 20203, number);
		assert_text(m->answer->maybe_same_as, number);
		done_with(m);
	}
}

static void what_is_zero_is_left_out(void **state)
{
	uint8_t out[WIRE_REPLY_MOST];
	struct outcome o = { .accepted = 1 };
	Gridloop__V1__ServerFrame *m;

	(void)state;
	m = read_back(out, wire_answer(out, 5, &o));
	assert_int_equal(m->answer->case_number.len, 0);
	assert_int_equal(m->answer->state, 0);
	assert_false(m->answer->again);
	done_with(m);
}

/* What protobuf-c itself would write for the same answer: the bytes are the same. */
static void hand_and_library_write_the_same(void **state)
{
	uint8_t mine[WIRE_REPLY_MOST], theirs[WIRE_REPLY_MOST];
	struct outcome o = full_outcome();
	size_t length = wire_answer(mine, 300, &o);
	Gridloop__V1__ServerFrame *m = read_back(mine, length);

	(void)state;
	assert_int_equal(wire_size(m), length);
	assert_int_equal(wire_pack(m, theirs), length);
	assert_memory_equal(mine, theirs, length);
	done_with(m);
}

static void the_longest_refusal_fits(void **state)
{
	uint8_t out[WIRE_REPLY_MOST];
	struct refusal why;
	Gridloop__V1__ServerFrame *m;
	char sentence[1000];

	(void)state;
	memset(sentence, 's', sizeof sentence - 1);
	sentence[sizeof sentence - 1] = '\0';
	assert_false(refuse(&why, REFUSAL_RETRY_LATER, "a-rule-with-a-name-longer-than-any-that-there-is-now", "%s",
	                    sentence));
	why.retry_after_ms = INT64_MAX;
	m = read_back(out, wire_refusal(out, UINT32_MAX, &why));
	assert_int_equal(m->body_case, GRIDLOOP__V1__SERVER_FRAME__BODY_REFUSAL);
	assert_int_equal(m->refusal->code, GRIDLOOP__V1__CODE__RETRY_LATER);
	assert_text(m->refusal->rule, why.rule);
	assert_text(m->refusal->sentence, why.sentence);
	assert_int_equal(m->refusal->sentence.len, REFUSAL_SENTENCE_MAX - 1);
	assert_true(m->refusal->retry_after_ms == INT64_MAX);
	done_with(m);
}

static void refusals_without_a_request_have_seq_0(void **state)
{
	uint8_t out[WIRE_REPLY_MOST];
	struct refusal why;
	Gridloop__V1__ServerFrame *m;

	(void)state;
	assert_false(refuse(&why, REFUSAL_MALFORMED, "frame-is-a-message", "No."));
	m = read_back(out, wire_refusal(out, 0, &why));
	assert_int_equal(m->seq, 0);
	done_with(m);
}

static void done_is_an_empty_message(void **state)
{
	uint8_t out[WIRE_REPLY_MOST];
	Gridloop__V1__ServerFrame *m = read_back(out, wire_done(out, 9));

	(void)state;
	assert_int_equal(m->seq, 9);
	assert_int_equal(m->body_case, GRIDLOOP__V1__SERVER_FRAME__BODY_DONE);
	done_with(m);
}

static void a_batch_keeps_its_order(void **state)
{
	uint8_t *out = malloc(WIRE_BATCH_BYTES);
	struct outcome outcomes[WIRE_BATCH_MOST];
	const struct outcome *pointers[WIRE_BATCH_MOST];
	Gridloop__V1__ServerFrame *m;

	(void)state;
	for (int i = 0; i < WIRE_BATCH_MOST; i++) {
		outcomes[i] = full_outcome();
		outcomes[i].case_id = an_id(i + 1);
		outcomes[i].accepted = i % 3 != 0;
		(void)refuse(&outcomes[i].refusal, REFUSAL_INVALID, "key-is-16-bytes", "The %dth is wrong.", i);
		pointers[i] = &outcomes[i];
	}
	m = read_back(out, wire_batch(out, 77, pointers, WIRE_BATCH_MOST));
	assert_int_equal(m->batch_answer->n_outcomes, WIRE_BATCH_MOST);
	for (int i = 0; i < WIRE_BATCH_MOST; i++) {
		const Gridloop__V1__Outcome *o = m->batch_answer->outcomes[i];
		char number[CASE_NUMBER_SIZE];

		case_number_text(an_id(i + 1), 10110, number);
		if (o->body_case == GRIDLOOP__V1__OUTCOME__BODY_ANSWER)
			assert_text(o->answer->case_number, number);
		else
			assert_text(o->refusal->sentence, outcomes[i].refusal.sentence);
		assert_int_equal(o->body_case == GRIDLOOP__V1__OUTCOME__BODY_ANSWER, outcomes[i].accepted);
	}
	done_with(m);
	free(out);
}

static void the_seq_of_a_broken_frame_is_guessed(void **state)
{
	(void)state;
	assert_int_equal(wire_guess_seq((const uint8_t[]){ 0x08, 0x96, 0x01, 0xff }, 4), 150);
	assert_int_equal(wire_guess_seq((const uint8_t[]){ 0x08 }, 1), 0);
	assert_int_equal(wire_guess_seq((const uint8_t[]){ 0x08, 0x80 }, 2), 0);
	assert_int_equal(wire_guess_seq((const uint8_t[]){ 0x12, 0x01 }, 2), 0);
	assert_int_equal(wire_guess_seq((const uint8_t[]){ 0x08, 0xff, 0xff, 0xff, 0xff, 0x7f }, 6), 0);
	assert_int_equal(wire_guess_seq(NULL, 0), 0);
}

static void an_arena_is_bounded_and_reused(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 100);
	assert_non_null(arena_take(&a, 60));
	assert_null(arena_take(&a, 60));
	assert_true(a.ran_out);
	arena_reset(&a);
	assert_false(a.ran_out);
	assert_non_null(arena_take(&a, 100));
	assert_null(arena_take(&a, 1));
	assert_null(arena_take(&a, SIZE_MAX));
	arena_close(&a);
	arena_close(&a);
}

/* Two bytes of an empty report become a hundred of a struct: the arena says no before that is a problem. */
static void a_bomb_of_empty_reports_runs_out(void **state)
{
	struct arena a;
	uint8_t *body = malloc(32768);
	size_t at = 2;

	(void)state;
	memcpy(body, (const uint8_t[]){ 0x08, 0x01, 0x62, 0xfa, 0xff, 0x01 }, 6);
	for (at = 6; at + 2 <= 32768; at += 2) {
		body[at] = 0x0a;
		body[at + 1] = 0;
	}
	arena_init(&a, 512 * 1024);
	assert_null(gridloop__v1__client_frame__unpack(&a.allocator, at, body));
	assert_true(a.ran_out);
	arena_close(&a);
	free(body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_reads_back),
		cmocka_unit_test(what_is_zero_is_left_out),
		cmocka_unit_test(hand_and_library_write_the_same),
		cmocka_unit_test(the_longest_refusal_fits),
		cmocka_unit_test(refusals_without_a_request_have_seq_0),
		cmocka_unit_test(done_is_an_empty_message),
		cmocka_unit_test(a_batch_keeps_its_order),
		cmocka_unit_test(the_seq_of_a_broken_frame_is_guessed),
		cmocka_unit_test(an_arena_is_bounded_and_reused),
		cmocka_unit_test(a_bomb_of_empty_reports_runs_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
