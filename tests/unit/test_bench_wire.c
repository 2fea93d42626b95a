/* The load generator's hand-packed requests are what the contract says, and its replies are read as the contract says:
 * both are checked against the generated code. The module belongs to the generator, so its source is taken in here. */
#include "../../bench/wire.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "gridloop.pb-c.h"

static const struct wire_options options = {
	.who = "bench",
	.token = "secret",
	.gateway = 1,
	.stream = "reports",
	.category = "E0117",
	.payload = 256,
	.boxes = { { 34.1, 108.1, 34.2, 108.2 }, { 34.5, 108.5, 34.6, 108.6 } },
	.box_count = 2,
};

static _Bool is(const ProtobufCBinaryData *b, const char *text)
{
	return b->len == strlen(text) && memcmp(b->data, text, b->len) == 0;
}

/* The frame in these bytes, which must hold nothing else. */
static Gridloop__V1__ClientFrame *unframe(const uint8_t *bytes, size_t length)
{
	uint64_t size;
	size_t head = get_varint(bytes, length, &size);

	assert_int_equal(head + size, length);
	Gridloop__V1__ClientFrame *f = gridloop__v1__client_frame__unpack(NULL, size, bytes + head);
	assert_non_null(f);
	return f;
}

static void test_login(void **state)
{
	uint8_t bytes[WIRE_REQUEST_MOST];
	Gridloop__V1__ClientFrame *f = unframe(bytes, wire_gridloop.hello(&options, bytes));

	(void)state;
	assert_int_equal(f->seq, 1);
	assert_int_equal(f->body_case, GRIDLOOP__V1__CLIENT_FRAME__BODY_LOGIN);
	assert_true(is(&f->login->who, "bench"));
	assert_true(is(&f->login->token, "secret"));
	gridloop__v1__client_frame__free_unpacked(f, NULL);
}

static void check_report(const Gridloop__V1__Report *r, int64_t unix_ms)
{
	int64_t time = 0;

	assert_int_equal(r->key.len, 16);
	for (int i = 0; i < 6; i++)
		time = time << 8 | r->key.data[i];
	assert_int_equal(time, unix_ms);
	assert_int_equal(r->key.data[6] >> 4, 7);
	assert_int_equal(r->key.data[8] >> 6, 2);
	assert_true(is(&r->category, "E0117"));
	assert_true(
		(r->place->lat >= 34.1 && r->place->lat <= 34.2 && r->place->lon >= 108.1 && r->place->lon <= 108.2) ||
		(r->place->lat >= 34.5 && r->place->lat <= 34.6 && r->place->lon >= 108.5 && r->place->lon <= 108.6));
	assert_true(r->address.len > 0);
	assert_int_equal(r->reporter->id.len, 5);
	assert_int_equal(r->reporter->kind, GRIDLOOP__V1__REPORTER_KIND__FOOD_RIDER);
}

static void test_submit(void **state)
{
	struct wire_random random = { 1 };
	struct request q;
	uint8_t one[WIRE_REQUEST_MOST], two[WIRE_REQUEST_MOST];

	(void)state;
	wire_gridloop.request(&options, &q);
	assert_in_range(q.payload, 250, 258);
	wire_stamp(&q, &options, WIRE_SEQ_FIRST, 1700000000000, &random, one);
	wire_stamp(&q, &options, WIRE_SEQ_END - 1, 1700000000001, &random, two);
	Gridloop__V1__ClientFrame *a = unframe(one, q.length), *b = unframe(two, q.length);
	assert_int_equal(a->body_case, GRIDLOOP__V1__CLIENT_FRAME__BODY_SUBMIT);
	assert_int_equal(a->seq, WIRE_SEQ_FIRST);
	assert_int_equal(b->seq, WIRE_SEQ_END - 1);
	check_report(a->submit, 1700000000000);
	check_report(b->submit, 1700000000001);
	assert_memory_not_equal(a->submit->key.data, b->submit->key.data, 16);
	assert_int_equal(a->submit->description.len, b->submit->description.len);
	assert_memory_not_equal(a->submit->description.data, b->submit->description.data, a->submit->description.len);
	assert_true(a->submit->place->lat != b->submit->place->lat);
	gridloop__v1__client_frame__free_unpacked(a, NULL);
	gridloop__v1__client_frame__free_unpacked(b, NULL);
}

static void test_xadd(void **state)
{
	struct wire_random random = { 1 };
	struct request q, gridloop;
	uint8_t bytes[WIRE_REQUEST_MOST];
	char head[200];

	(void)state;
	wire_redis.request(&options, &q);
	wire_gridloop.request(&options, &gridloop);
	assert_int_equal(q.payload, gridloop.payload);
	wire_stamp(&q, &options, WIRE_SEQ_FIRST, 1700000000000, &random, bytes);
	int length = snprintf(head, sizeof head,
	                      "*5\r\n$4\r\nXADD\r\n$7\r\nreports\r\n$1\r\n*\r\n$5\r\nentry\r\n$%zu\r\n", q.payload);
	assert_memory_equal(bytes, head, (size_t)length);
	assert_int_equal(q.length, (size_t)length + q.payload + 2);
	assert_memory_equal(bytes + q.length - 2, "\r\n", 2);
	Gridloop__V1__Report *r = gridloop__v1__report__unpack(NULL, q.payload, bytes + length);
	assert_non_null(r);
	check_report(r, 1700000000000);
	gridloop__v1__report__free_unpacked(r, NULL);
}

struct reading {
	ssize_t length;
	uint32_t seq;
	_Bool push;
	char why[200];
};

static struct reading read_reply(const struct wire *wire, const void *bytes, size_t length, _Bool welcome)
{
	struct reading r = { 0 };

	r.length = wire->reply(bytes, length, welcome, &r.seq, &r.push, r.why, sizeof r.why);
	return r;
}

/* A server frame in bytes, as the daemon would send it. */
static size_t pack_frame(const Gridloop__V1__ServerFrame *f, uint8_t *out)
{
	uint8_t body[1024];

	return frame(out, body, gridloop__v1__server_frame__pack(f, body));
}

static void test_answer_in_pieces(void **state)
{
	Gridloop__V1__Answer answer = GRIDLOOP__V1__ANSWER__INIT;
	Gridloop__V1__ServerFrame f = GRIDLOOP__V1__SERVER_FRAME__INIT;
	uint8_t bytes[1100];

	(void)state;
	answer.case_number = (ProtobufCBinaryData){ 18, (uint8_t *)"E01172026112100042" };
	answer.state = GRIDLOOP__V1__STATE__REPORTED;
	f.seq = 3000000;
	f.body_case = GRIDLOOP__V1__SERVER_FRAME__BODY_ANSWER;
	f.answer = &answer;
	size_t length = pack_frame(&f, bytes);
	for (size_t some = 0; some < length; some++)
		assert_int_equal(read_reply(&wire_gridloop, bytes, some, 0).length, REPLY_MORE);
	struct reading r = read_reply(&wire_gridloop, bytes, length + 5, 0);
	assert_int_equal(r.length, length);
	assert_int_equal(r.seq, 3000000);
	assert_false(r.push);
	assert_int_equal(read_reply(&wire_gridloop, bytes, length, 1).length, REPLY_BAD);
}

static void test_refusal_tells_why(void **state)
{
	Gridloop__V1__Refusal refusal = GRIDLOOP__V1__REFUSAL__INIT;
	Gridloop__V1__ServerFrame f = GRIDLOOP__V1__SERVER_FRAME__INIT;
	uint8_t bytes[1100];

	(void)state;
	refusal.code = GRIDLOOP__V1__CODE__RATE_LIMITED;
	refusal.rule = (ProtobufCBinaryData){ 4, (uint8_t *)"rate" };
	refusal.sentence = (ProtobufCBinaryData){ 9, (uint8_t *)"Too many." };
	f.seq = WIRE_SEQ_FIRST;
	f.body_case = GRIDLOOP__V1__SERVER_FRAME__BODY_REFUSAL;
	f.refusal = &refusal;
	struct reading r = read_reply(&wire_gridloop, bytes, pack_frame(&f, bytes), 0);
	assert_int_equal(r.length, REPLY_BAD);
	assert_string_equal(r.why, "refused with code 15, rule rate: Too many.");
}

static void test_push_is_nobodys_answer(void **state)
{
	Gridloop__V1__Notice notice = GRIDLOOP__V1__NOTICE__INIT;
	Gridloop__V1__Push push = GRIDLOOP__V1__PUSH__INIT;
	Gridloop__V1__ServerFrame f = GRIDLOOP__V1__SERVER_FRAME__INIT;
	uint8_t bytes[1100];

	(void)state;
	push.body_case = GRIDLOOP__V1__PUSH__BODY_NOTICE;
	push.notice = &notice;
	f.body_case = GRIDLOOP__V1__SERVER_FRAME__BODY_PUSH;
	f.push = &push;
	size_t length = pack_frame(&f, bytes);
	struct reading r = read_reply(&wire_gridloop, bytes, length, 0);
	assert_int_equal(r.length, length);
	assert_true(r.push);
}

static void test_broken_length(void **state)
{
	uint8_t bytes[16];

	(void)state;
	memset(bytes, 0xff, sizeof bytes);
	assert_int_equal(read_reply(&wire_gridloop, bytes, sizeof bytes, 0).length, REPLY_BAD);
	assert_int_equal(read_reply(&wire_gridloop, "\xff\xff\xff\x7f", 4, 0).length, REPLY_BAD);
}

static void test_redis_replies(void **state)
{
	static const char id[] = "$15\r\n1526919030474-5\r\n", error[] = "-ERR no space\r\n";
	const size_t length = sizeof id - 1;

	(void)state;
	for (size_t some = 1; some < length; some++)
		assert_int_equal(read_reply(&wire_redis, id, some, 0).length, REPLY_MORE);
	assert_int_equal(read_reply(&wire_redis, id, length, 0).length, length);
	struct reading r = read_reply(&wire_redis, error, sizeof error - 1, 0);
	assert_int_equal(r.length, REPLY_BAD);
	assert_non_null(strstr(r.why, "no space"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_login),
		cmocka_unit_test(test_submit),
		cmocka_unit_test(test_xadd),
		cmocka_unit_test(test_answer_in_pieces),
		cmocka_unit_test(test_refusal_tells_why),
		cmocka_unit_test(test_push_is_nobodys_answer),
		cmocka_unit_test(test_broken_length),
		cmocka_unit_test(test_redis_replies),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
