#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/stream.h"

#define TAIL_MOST 1000
#define OUTPUT_MOST 200000
#define PATIENCE_STEPS 400 /* of 10 ms: far more than any of these needs */

/* A stream over a socketpair, and what its handler was told. It takes lines of eight bytes. */
struct fixture {
	struct event_base *base;
	struct stream_loop *loop;
	struct stream *stream;
	int peer;
	char taken[262144];
	size_t taken_length;
	int calls, ended, drained, closed;
	const char *why;
	void (*on_line)(struct fixture *f);
};

static size_t take_lines(void *ctx, const uint8_t *bytes, size_t length)
{
	struct fixture *f = ctx;
	size_t used = 0;

	f->calls++;
	while (length - used >= 8 && stream_takes_input(f->stream)) {
		memcpy(f->taken + f->taken_length, bytes + used, 8);
		f->taken_length += 8;
		used += 8;
		if (f->on_line)
			f->on_line(f);
	}
	return used;
}

static void note_ended(void *ctx)
{
	((struct fixture *)ctx)->ended++;
}

static void note_drained(void *ctx)
{
	((struct fixture *)ctx)->drained++;
}

static void note_closed(void *ctx, const char *why)
{
	struct fixture *f = ctx;

	f->closed++;
	f->why = why;
	f->stream = NULL;
}

static const struct stream_handler handler = { take_lines, note_ended, note_drained, note_closed };

static int setup(void **state)
{
	static const struct stream_limits limits = { .tail_most = TAIL_MOST, .output_most = OUTPUT_MOST };
	struct fixture *f = calloc(1, sizeof *f);
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
	f->base = event_base_new();
	f->loop = stream_loop_new(f->base, &limits);
	f->stream = stream_new(f->loop, pair[0], &transport_plain, NULL, &handler, f);
	f->peer = pair[1];
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	stream_loop_free(f->loop);
	event_base_free(f->base);
	if (f->peer != -1)
		close(f->peer);
	free(f);
	return 0;
}

static void step(struct fixture *f)
{
	static const struct timeval most = { 0, 10000 };

	event_base_loopexit(f->base, &most);
	event_base_dispatch(f->base);
}

#define UNTIL(f, condition)                                                                                            \
	do {                                                                                                           \
		for (int i_ = 0; i_ < PATIENCE_STEPS && !(condition); i_++)                                            \
			step(f);                                                                                       \
		assert_true(condition);                                                                                \
	} while (0)

static void peer_sends(struct fixture *f, const char *bytes, size_t length)
{
	assert_int_equal(send(f->peer, bytes, length, MSG_NOSIGNAL), length);
}

/* Reads what is there; returns bytes in all, *end when the stream has ended. */
static size_t peer_reads(struct fixture *f, char *out, size_t room, _Bool *end)
{
	size_t sum = 0;
	ssize_t n = 0;

	while (sum < room && (n = read(f->peer, out + sum, room - sum)) > 0)
		sum += (size_t)n;
	*end = n == 0;
	return sum;
}

static void say(struct fixture *f, const void *bytes, size_t length)
{
	uint8_t *room = stream_room(f->stream, length);

	assert_non_null(room);
	memcpy(room, bytes, length);
	stream_wrote(f->stream, length);
}

static void bytes_come_in_order_however_cut(void **state)
{
	struct fixture *f = *state;
	const char text[] = "aaaaaaa\nbbbbbbb\nccccccc\n";

	for (size_t i = 0; i < 24; i++) {
		peer_sends(f, text + i, 1);
		UNTIL(f, f->calls == (int)i + 1);
	}
	assert_int_equal(f->taken_length, 24);
	assert_memory_equal(f->taken, text, 24);
}

static void one_write_carries_what_one_turn_made(void **state)
{
	struct fixture *f = *state;
	char out[64];
	_Bool end;

	say(f, "one ", 4);
	say(f, "two ", 4);
	say(f, "three", 5);
	assert_int_equal(peer_reads(f, out, sizeof out, &end), 0);
	assert_int_equal(stream_loop_waiting(f->loop), 13);
	UNTIL(f, stream_waiting(f->stream) == 0);
	assert_int_equal(peer_reads(f, out, sizeof out, &end), 13);
	assert_memory_equal(out, "one two three", 13);
	assert_false(end);
	assert_int_equal(stream_loop_waiting(f->loop), 0);
}

static void pause_now(struct fixture *f)
{
	if (f->taken_length == 8)
		stream_pause(f->stream);
}

static void paused_reads_nothing_and_loses_nothing(void **state)
{
	struct fixture *f = *state;

	f->on_line = pause_now;
	peer_sends(f, "aaaaaaa\nbbbbbbb\nccc", 19);
	UNTIL(f, f->taken_length == 8);
	peer_sends(f, "cccc\n", 5);
	for (int i = 0; i < 5; i++)
		step(f);
	assert_int_equal(f->taken_length, 8);
	stream_resume(f->stream);
	assert_int_equal(f->taken_length, 8);
	UNTIL(f, f->taken_length == 24);
	assert_memory_equal(f->taken, "aaaaaaa\nbbbbbbb\nccccccc\n", 24);
}

static void a_held_loop_reads_from_nobody(void **state)
{
	struct fixture *f = *state;

	stream_loop_hold(f->loop);
	peer_sends(f, "aaaaaaa\n", 8);
	for (int i = 0; i < 5; i++)
		step(f);
	assert_int_equal(f->taken_length, 0);
	stream_loop_release(f->loop);
	UNTIL(f, f->taken_length == 8);
}

static void a_peer_that_never_reads_is_cut_at_the_cap(void **state)
{
	struct fixture *f = *state;
	static const char chunk[10000];
	int chunks = 0;

	while (stream_room(f->stream, sizeof chunk)) {
		stream_wrote(f->stream, sizeof chunk);
		assert_true(++chunks <= OUTPUT_MOST / (int)sizeof chunk);
	}
	assert_int_equal(f->closed, 0);
	UNTIL(f, f->closed == 1);
	assert_string_equal(f->why, "output-limit");
	assert_int_equal(stream_loop_waiting(f->loop), 0);
}

/* A slow reader: reading of it stops while much waits, and goes on when it has caught up. */
static void full_stops_input_until_drained(void **state)
{
	struct fixture *f = *state;
	static char out[OUTPUT_MOST];
	size_t sum = 0, most = OUTPUT_MOST * 9 / 10;
	int small = 4096;
	_Bool end;

	(void)setsockopt(f->peer, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	uint8_t *room = stream_room(f->stream, most);

	for (size_t i = 0; i < most; i++)
		room[i] = (uint8_t)(i * 7);
	stream_wrote(f->stream, most);
	assert_true(stream_is_full(f->stream));
	assert_false(stream_takes_input(f->stream));
	peer_sends(f, "aaaaaaa\n", 8);
	for (int i = 0; i < PATIENCE_STEPS && sum < most; i++) {
		step(f);
		sum += peer_reads(f, out + sum, most - sum, &end);
	}
	assert_int_equal(sum, most);
	for (size_t i = 0; i < most; i++)
		assert_int_equal((uint8_t)out[i], (uint8_t)(i * 7));
	UNTIL(f, f->taken_length == 8);
	assert_int_equal(f->drained, 1);
}

static void finish_sends_the_last_words_then_ends(void **state)
{
	struct fixture *f = *state;
	char out[64];
	_Bool end = 0;
	size_t sum = 0;

	say(f, "goodbye", 7);
	stream_finish(f->stream, "done");
	assert_null(stream_room(f->stream, 1));
	peer_sends(f, "ignored\nand more", 16);
	for (int i = 0; i < PATIENCE_STEPS && !end; i++) {
		step(f);
		sum += peer_reads(f, out + sum, sizeof out - sum, &end);
	}
	assert_int_equal(sum, 7);
	assert_true(end);
	assert_int_equal(f->taken_length, 0);
	close(f->peer);
	f->peer = -1;
	UNTIL(f, f->closed == 1);
	assert_string_equal(f->why, "done");
}

static void a_half_closed_peer_still_gets_its_answer(void **state)
{
	struct fixture *f = *state;
	char out[64];
	_Bool end;

	peer_sends(f, "aaaaaaa\nbb", 10);
	shutdown(f->peer, SHUT_WR);
	UNTIL(f, f->ended == 1);
	assert_int_equal(f->closed, 0);
	assert_int_equal(f->taken_length, 8);
	say(f, "late", 4);
	UNTIL(f, stream_waiting(f->stream) == 0);
	assert_int_equal(peer_reads(f, out, sizeof out, &end), 4);
}

static void close_in_input(struct fixture *f)
{
	stream_close(f->stream, "enough");
	assert_null(stream_room(f->stream, 1));
}

static void closing_inside_input_is_told_once_and_later(void **state)
{
	struct fixture *f = *state;

	f->on_line = close_in_input;
	peer_sends(f, "aaaaaaa\nbbbbbbb\n", 16);
	UNTIL(f, f->closed == 1);
	assert_int_equal(f->taken_length, 8);
	assert_string_equal(f->why, "enough");
	for (int i = 0; i < 3; i++)
		step(f);
	assert_int_equal(f->closed, 1);
}

static void patience_ends_a_silent_peer(void **state)
{
	struct fixture *f = *state;

	stream_set_patience(f->stream, 1, "idle");
	UNTIL(f, f->closed == 1);
	assert_string_equal(f->why, "idle");
}

static void a_deadline_ends_a_busy_peer(void **state)
{
	struct fixture *f = *state;

	stream_set_patience(f->stream, 60000, "idle");
	stream_set_deadline(f->stream, 1, "no-login");
	for (int i = 0; i < PATIENCE_STEPS && !f->closed; i++) {
		(void)send(f->peer, "aaaaaaa\n", 8, MSG_NOSIGNAL);
		step(f);
	}
	assert_int_equal(f->closed, 1);
	assert_string_equal(f->why, "no-login");
	assert_true(f->taken_length > 8);
}

static void a_lost_peer_is_noticed_when_written_to(void **state)
{
	struct fixture *f = *state;

	stream_pause(f->stream);
	close(f->peer);
	f->peer = -1;
	say(f, "anyone?", 7);
	UNTIL(f, f->closed == 1);
	assert_string_equal(f->why, "write-failed");
}

static ssize_t failing_read(void *state, int fd, void *bytes, size_t room)
{
	(void)state, (void)fd, (void)bytes, (void)room;
	return TRANSPORT_FAILED;
}

static void the_transport_is_what_reads(void **state)
{
	struct fixture *f = *state;
	struct transport broken = transport_plain;
	int pair[2];

	broken.read = failing_read;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
	stream_close(f->stream, "replaced");
	UNTIL(f, f->closed == 1);
	f->stream = stream_new(f->loop, pair[0], &broken, NULL, &handler, f);
	assert_int_equal(write(pair[1], "x", 1), 1);
	UNTIL(f, f->closed == 2);
	assert_string_equal(f->why, "read-failed");
	close(pair[1]);
}

/* A transport that, like a handshake, reads only after it could write and writes only after bytes have come. */
struct crossed {
	int reads, writes;
	_Bool read_told, write_told;
};

static ssize_t crossed_read(void *state, int fd, void *bytes, size_t room)
{
	struct crossed *c = state;

	c->reads++;
	if (!c->read_told) {
		c->read_told = 1;
		return TRANSPORT_WAIT_OTHER;
	}
	return transport_plain.read(NULL, fd, bytes, room);
}

static ssize_t crossed_write(void *state, int fd, const void *bytes, size_t length)
{
	struct crossed *c = state;

	c->writes++;
	if (!c->write_told) {
		c->write_told = 1;
		return TRANSPORT_WAIT_OTHER;
	}
	return transport_plain.write(NULL, fd, bytes, length);
}

static void each_direction_may_wait_for_the_other(void **state)
{
	struct fixture *f = *state;
	struct transport crossing = transport_plain;
	struct crossed c = { 0 };
	char heard[8];
	int pair[2];

	crossing.read = crossed_read;
	crossing.write = crossed_write;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
	stream_close(f->stream, "replaced");
	UNTIL(f, f->closed == 1);
	f->stream = stream_new(f->loop, pair[0], &crossing, &c, &handler, f);
	/* A paused stream takes no input, but what it has to say must not wait for ever. */
	stream_pause(f->stream);
	say(f, "answer", 6);
	UNTIL(f, c.writes == 1);
	step(f);
	assert_int_equal(c.writes, 1);
	assert_int_equal(write(pair[1], "question", 8), 8);
	ssize_t got = -1;
	UNTIL(f, got == 6 || (got = read(pair[1], heard, sizeof heard)) == 6);
	assert_int_equal(c.reads, 0);
	stream_resume(f->stream);
	UNTIL(f, f->taken_length == 8);
	assert_int_equal(c.reads, 2);
	stream_close(f->stream, "enough");
	UNTIL(f, f->closed == 2);
	close(pair[1]);
}

/* ---- many at once ---- */

#define CROWD 150 /* more than leave in one call */

/* One turn answers a crowd of whom one has gone, one does not read and one hears its last words. */
static void a_crowd_is_answered_in_one_turn(void **state)
{
	struct fixture *f = *state, *crowd = calloc(CROWD, sizeof *crowd);
	static char much[OUTPUT_MOST - 1000];
	char heard[32];
	_Bool end;

	for (int i = 0; i < CROWD; i++) {
		int pair[2];

		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
		crowd[i].loop = f->loop;
		crowd[i].base = f->base;
		crowd[i].peer = pair[1];
		crowd[i].stream = stream_new(f->loop, pair[0], &transport_plain, NULL, &handler, &crowd[i]);
	}
	close(crowd[7].peer);
	crowd[7].peer = -1;
	for (int i = 0; i < CROWD; i++)
		say(&crowd[i], &i, sizeof i);
	say(&crowd[8], much, sizeof much);
	stream_finish(crowd[9].stream, "done");
	UNTIL(f, crowd[7].closed == 1);
	assert_string_equal(crowd[7].why, "write-failed");
	for (int i = 0; i < CROWD; i++) {
		if (i == 7 || i == 8)
			continue;
		assert_int_equal(peer_reads(&crowd[i], heard, sizeof heard, &end), sizeof i);
		assert_memory_equal(heard, &i, sizeof i);
		assert_int_equal(end, i == 9);
		assert_int_equal(crowd[i].closed, 0);
	}
	for (size_t sum = 0; sum < sizeof much + sizeof(int); step(f))
		sum += peer_reads(&crowd[8], f->taken, sizeof f->taken, &end);
	assert_int_equal(crowd[8].drained, 1);
	assert_int_equal(stream_loop_waiting(f->loop), 0);
	for (int i = 0; i < CROWD; i++) {
		if (crowd[i].peer != -1)
			close(crowd[i].peer);
		if (crowd[i].stream != NULL)
			stream_close(crowd[i].stream, "enough");
	}
	step(f);
	free(crowd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bytes_come_in_order_however_cut),
		TEST(one_write_carries_what_one_turn_made),
		TEST(paused_reads_nothing_and_loses_nothing),
		TEST(a_held_loop_reads_from_nobody),
		TEST(a_peer_that_never_reads_is_cut_at_the_cap),
		TEST(full_stops_input_until_drained),
		TEST(finish_sends_the_last_words_then_ends),
		TEST(a_half_closed_peer_still_gets_its_answer),
		TEST(closing_inside_input_is_told_once_and_later),
		TEST(patience_ends_a_silent_peer),
		TEST(a_deadline_ends_a_busy_peer),
		TEST(a_lost_peer_is_noticed_when_written_to),
		TEST(the_transport_is_what_reads),
		TEST(each_direction_may_wait_for_the_other),
		TEST(a_crowd_is_answered_in_one_turn),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
