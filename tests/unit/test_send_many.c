/* send_many: each socket gets its own bytes and each result is its own, whatever the others' are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/send_many.h"
#include "net/transport.h"

struct pairs {
	int near[SEND_MANY_MOST], far[SEND_MANY_MOST];
	char said[SEND_MANY_MOST][24];
	struct send_one ones[SEND_MANY_MOST];
	struct send_many *many;
};

static void open_all(struct pairs *p)
{
	p->many = send_many_new();
	for (int i = 0; i < SEND_MANY_MOST; i++) {
		int both[2];

		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, both), 0);
		p->near[i] = both[0];
		p->far[i] = both[1];
		(void)snprintf(p->said[i], sizeof p->said[i], "answer %d", i);
		p->ones[i] = (struct send_one){ .fd = both[0], .bytes = p->said[i], .length = strlen(p->said[i]) };
	}
}

static void close_all(struct pairs *p)
{
	for (int i = 0; i < SEND_MANY_MOST; i++) {
		close(p->near[i]);
		close(p->far[i]);
	}
	send_many_free(p->many);
}

/* A caller sends by itself what was left undone, so both are fine; here the system knows the call. */
static void assert_sent(const struct pairs *p, int i)
{
	char heard[32] = "";

	assert_true(p->ones[i].done);
	assert_int_equal(p->ones[i].result, strlen(p->said[i]));
	assert_int_equal(read(p->far[i], heard, sizeof heard), strlen(p->said[i]));
	assert_string_equal(heard, p->said[i]);
}

static void everybody_gets_their_own(void **state)
{
	static struct pairs p;

	(void)state;
	open_all(&p);
	for (int round = 0; round < 3; round++) {
		send_many(p.many, p.ones, SEND_MANY_MOST);
		for (int i = 0; i < SEND_MANY_MOST; i++)
			assert_sent(&p, i);
	}
	send_many(p.many, p.ones, 1);
	assert_sent(&p, 0);
	send_many(p.many, p.ones, 0);
	close_all(&p);
}

static void one_who_is_gone_and_one_who_does_not_read(void **state)
{
	static struct pairs p;
	static char much[1 << 20];
	ssize_t took;

	(void)state;
	open_all(&p);
	close(p.far[3]);
	p.far[3] = -1;
	p.ones[5].bytes = much;
	p.ones[5].length = sizeof much;
	send_many(p.many, p.ones, 7);
	assert_int_equal(p.ones[3].result, TRANSPORT_FAILED);
	took = p.ones[5].result;
	assert_true(took > 0 && took < (ssize_t)sizeof much);
	send_many(p.many, p.ones + 5, 1);
	assert_int_equal(p.ones[5].result, TRANSPORT_WAIT);
	for (int i = 0; i < 7; i++)
		if (i != 3 && i != 5)
			assert_sent(&p, i);
	close_all(&p);
}

/* The kernel stops at a descriptor that is none; it and those behind it are the caller's to try. */
static void behind_no_descriptor_all_is_left_undone(void **state)
{
	static struct pairs p;

	(void)state;
	open_all(&p);
	p.ones[2].fd = -1;
	send_many(p.many, p.ones, 5);
	assert_sent(&p, 0);
	assert_sent(&p, 1);
	for (int i = 2; i < 5; i++)
		assert_false(p.ones[i].done);
	send_many(p.many, p.ones + 2, 1);
	assert_false(p.ones[2].done);
	close_all(&p);
	send_many_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everybody_gets_their_own),
		cmocka_unit_test(one_who_is_gone_and_one_who_does_not_read),
		cmocka_unit_test(behind_no_descriptor_all_is_left_undone),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
