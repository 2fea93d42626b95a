/* The command's connection, against a daemon that breaks off, asks for later, talks out of turn or talks nonsense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <pthread.h>

/* clang-format off */
#include "../../cli/wire.c"
#include "../../cli/trouble.c"
#include "../../cli/client.c"
/* clang-format on */

#define SUBMITS_MOST 8

/* What the other side does, one row a frame that comes. */
enum doing { WELCOME, REFUSE_LOGIN, BREAK_OFF, LATER, PUSH_THEN_ANSWER, NONSENSE };

struct other_side {
	int listener;
	char address[32];
	const enum doing *script;
	size_t length;
	pthread_t thread;
	uint8_t keys[SUBMITS_MOST][UUID_SIZE]; /* of the reports that came */
	int submits;
};

static _Bool read_exactly(int fd, uint8_t *to, size_t length)
{
	while (length > 0) {
		ssize_t got = recv(fd, to, length, 0);

		if (got <= 0)
			return 0;
		to += got;
		length -= (size_t)got;
	}
	return 1;
}

static client_frame *read_frame(int fd)
{
	uint8_t bytes[4096];
	uint32_t length = 0;
	size_t used = 0;

	do {
		if (!read_exactly(fd, bytes + used, 1))
			return NULL;
	} while (wire_get_length(bytes, ++used, &length) == 0);
	assert_true(length <= sizeof bytes && read_exactly(fd, bytes, length));
	return gridloop__v1__client_frame__unpack(NULL, length, bytes);
}

static void send_frame(int fd, server_frame *f)
{
	uint8_t bytes[4096];
	size_t used = wire_put_length(bytes, (uint32_t)gridloop__v1__server_frame__get_packed_size(f));

	used += gridloop__v1__server_frame__pack(f, bytes + used);
	/* In two halves, for a frame may arrive so. */
	send(fd, bytes, used / 2, MSG_NOSIGNAL);
	send(fd, bytes + used / 2, used - used / 2, MSG_NOSIGNAL);
}

static void send_refusal(int fd, uint32_t seq, Gridloop__V1__Code code)
{
	server_frame f = GRIDLOOP__V1__SERVER_FRAME__INIT;
	wire_refusal r = GRIDLOOP__V1__REFUSAL__INIT;

	f.seq = seq;
	r.code = code;
	r.rule = wire_from_text("a-rule");
	r.sentence = wire_from_text("A sentence.");
	r.retry_after_ms = 1;
	f.body_case = SERVER_BODY(REFUSAL);
	f.refusal = &r;
	send_frame(fd, &f);
}

static void send_welcome(int fd, uint32_t seq)
{
	server_frame f = GRIDLOOP__V1__SERVER_FRAME__INIT;
	Gridloop__V1__Welcome w = GRIDLOOP__V1__WELCOME__INIT;

	f.seq = seq;
	w.who = wire_from_text("wang");
	w.now_ms = 1234;
	f.body_case = SERVER_BODY(WELCOME);
	f.welcome = &w;
	send_frame(fd, &f);
}

static void send_push_then_answer(int fd, uint32_t seq)
{
	server_frame push = GRIDLOOP__V1__SERVER_FRAME__INIT, f = GRIDLOOP__V1__SERVER_FRAME__INIT;
	Gridloop__V1__Push news = GRIDLOOP__V1__PUSH__INIT;
	wire_answer a = GRIDLOOP__V1__ANSWER__INIT;

	push.body_case = SERVER_BODY(PUSH);
	push.push = &news;
	send_frame(fd, &push);
	f.seq = seq;
	a.case_number = wire_from_text("E01102026112100042");
	f.body_case = SERVER_BODY(ANSWER);
	f.answer = &a;
	send_frame(fd, &f);
}

/* false: the connection is over. */
static _Bool do_one(int fd, enum doing doing, uint32_t seq)
{
	static const uint8_t nonsense[12] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	if (doing == WELCOME)
		send_welcome(fd, seq);
	else if (doing == REFUSE_LOGIN)
		send_refusal(fd, seq, GRIDLOOP__V1__CODE__BAD_CREDENTIALS);
	else if (doing == LATER)
		send_refusal(fd, seq, GRIDLOOP__V1__CODE__RETRY_LATER);
	else if (doing == PUSH_THEN_ANSWER)
		send_push_then_answer(fd, seq);
	else if (doing == NONSENSE)
		send(fd, nonsense, sizeof nonsense, MSG_NOSIGNAL);
	return doing != BREAK_OFF && doing != NONSENSE;
}

static void *play(void *ctx)
{
	struct other_side *o = ctx;
	size_t at = 0;

	while (at < o->length) {
		int fd = accept(o->listener, NULL, NULL);
		client_frame *f;
		_Bool goes_on = 1;

		while (goes_on && at < o->length && (f = read_frame(fd))) {
			if (f->body_case == CLIENT_BODY(SUBMIT) && o->submits < SUBMITS_MOST)
				memcpy(o->keys[o->submits++], f->submit->key.data, UUID_SIZE);
			goes_on = do_one(fd, o->script[at++], f->seq);
			gridloop__v1__client_frame__free_unpacked(f, NULL);
		}
		close(fd);
	}
	return NULL;
}

static void begin(struct other_side *o, const enum doing *script, size_t length)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof address;

	*o = (struct other_side){ .script = script, .length = length };
	o->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(o->listener, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(o->listener, 8), 0);
	getsockname(o->listener, (struct sockaddr *)&address, &size);
	snprintf(o->address, sizeof o->address, "127.0.0.1:%d", ntohs(address.sin_port));
	assert_int_equal(pthread_create(&o->thread, NULL, play, o), 0);
}

static void finish(struct other_side *o)
{
	pthread_join(o->thread, NULL);
	close(o->listener);
}

#define BEGIN(o, ...)                                                                                                  \
	const enum doing script[] = { __VA_ARGS__ };                                                                   \
	begin(o, script, sizeof script / sizeof script[0])

static void test_a_report_is_sent_again_under_its_key(void **state)
{
	struct other_side o;
	struct client *c = NULL;
	struct trouble why = { 0 };
	client_frame frame = GRIDLOOP__V1__CLIENT_FRAME__INIT;
	wire_report report = GRIDLOOP__V1__REPORT__INIT;
	struct uuid key = uuid_new(1795240800000);

	(void)state;
	BEGIN(&o, WELCOME, BREAK_OFF, WELCOME, LATER, PUSH_THEN_ANSWER);
	report.key = wire_from_uuid(&key);
	frame.body_case = CLIENT_BODY(SUBMIT);
	frame.submit = &report;

	struct login login = { .server = o.address, .who = "wang", .token = "secret" };
	server_frame *reply = client_ask_surely(&c, &login, &frame, &why);

	assert_non_null(reply);
	assert_string_equal(wire_text(reply->answer->case_number), "E01102026112100042");
	assert_int_equal(client_now_ms(c), 1234);
	wire_free(reply);
	client_close(c);
	finish(&o);
	assert_int_equal(o.submits, 3);
	for (int i = 0; i < o.submits; i++)
		assert_memory_equal(o.keys[i], key.bytes, UUID_SIZE);
}

static void test_wrong_token_is_refused_at_once(void **state)
{
	struct other_side o;
	struct trouble why = { 0 };

	(void)state;
	BEGIN(&o, REFUSE_LOGIN);

	struct login login = { .server = o.address, .who = "wang", .token = "wrong" };

	assert_null(client_open(&login, &why));
	assert_int_equal(why.exit, EXIT_REFUSED);
	assert_int_equal(why.code, GRIDLOOP__V1__CODE__BAD_CREDENTIALS);
	assert_string_equal(why.rule, "a-rule");
	finish(&o);
}

static void test_nonsense_is_a_lost_connection(void **state)
{
	struct other_side o;
	struct trouble why = { 0 };

	(void)state;
	BEGIN(&o, NONSENSE);

	struct login login = { .server = o.address, .who = "wang", .token = "secret" };

	assert_null(client_open(&login, &why));
	assert_int_equal(why.exit, EXIT_LOST);
	finish(&o);
}

static void test_nobody_there_and_no_address(void **state)
{
	struct other_side o;
	struct trouble why = { 0 };
	struct client *c = NULL;
	client_frame frame = GRIDLOOP__V1__CLIENT_FRAME__INIT;

	(void)state;
	/* A port that was free a moment ago. */
	BEGIN(&o, REFUSE_LOGIN);

	struct login login = { .server = o.address, .who = "wang", .token = "secret" },
		     nowhere = { .server = "nowhere", .who = "wang", .token = "secret" };

	assert_null(client_open(&login, &why));
	finish(&o);
	assert_null(client_ask_surely(&c, &login, &frame, &why));
	assert_int_equal(why.exit, EXIT_LOST);
	assert_null(client_open(&nowhere, &why));
	assert_int_equal(why.exit, EXIT_USAGE);
}

static void test_a_frame_too_large_is_not_sent(void **state)
{
	struct other_side o;
	struct trouble why = { 0 };
	client_frame frame = GRIDLOOP__V1__CLIENT_FRAME__INIT;
	wire_report report = GRIDLOOP__V1__REPORT__INIT;
	uint8_t *long_text = must_calloc(1, WIRE_FRAME_MOST);

	(void)state;
	BEGIN(&o, WELCOME);

	struct login login = { .server = o.address, .who = "wang", .token = "secret" };
	struct client *c = client_open(&login, &why);

	assert_non_null(c);
	memset(long_text, 'a', WIRE_FRAME_MOST);
	report.description = (wire_bytes){ WIRE_FRAME_MOST, long_text };
	frame.body_case = CLIENT_BODY(SUBMIT);
	frame.submit = &report;
	assert_null(client_ask(c, &frame, 1000, &why));
	assert_int_equal(why.exit, EXIT_USAGE);
	assert_int_equal(client_queued_bytes(c), 0);
	client_close(c);
	free(long_text);
	finish(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_report_is_sent_again_under_its_key),
		cmocka_unit_test(test_wrong_token_is_refused_at_once),
		cmocka_unit_test(test_nonsense_is_a_lost_connection),
		cmocka_unit_test(test_nobody_there_and_no_address),
		cmocka_unit_test(test_a_frame_too_large_is_not_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
