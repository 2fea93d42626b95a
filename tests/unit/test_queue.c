#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/queue.h"

static void *item(uintptr_t number)
{
	return (void *)number;
}

static int64_t now_ms(void)
{
	struct clock c = clock_system();

	return c.mono_ms(c.ctx);
}

static void test_order_and_bound(void **state)
{
	(void)state;
	struct queue *q = queue_new(3, -1);
	void *got[8];

	/* Round and round, so that the ring wraps at every place. */
	for (uintptr_t round = 0; round < 10; round++) {
		assert_true(queue_push(q, item(round * 10 + 1)));
		assert_true(queue_push(q, item(round * 10 + 2)));
		assert_int_equal(queue_pop(q, got, 1, 0), 1);
		assert_ptr_equal(got[0], item(round * 10 + 1));
		assert_true(queue_push(q, item(round * 10 + 3)));
		assert_true(queue_push(q, item(round * 10 + 4)));
		assert_false(queue_push(q, item(99)));
		assert_int_equal(queue_length(q), 3);
		assert_int_equal(queue_pop(q, got, 8, 0), 3);
		for (uintptr_t i = 0; i < 3; i++)
			assert_ptr_equal(got[i], item(round * 10 + 2 + i));
		assert_int_equal(queue_length(q), 0);
	}
	queue_free(q);
	queue_free(NULL);
}

static void test_empty_pop_does_not_wait(void **state)
{
	(void)state;
	struct queue *q = queue_new(1, -1);
	void *got;
	int64_t from = now_ms();

	assert_int_equal(queue_pop(q, &got, 1, 0), 0);
	assert_true(now_ms() - from < 1000);
	queue_free(q);
}

static void test_wait_ends_in_time(void **state)
{
	(void)state;
	struct queue *q = queue_new(1, -1);
	void *got;
	int64_t from = now_ms();

	assert_int_equal(queue_pop(q, &got, 1, 30), 0);
	assert_in_range(now_ms() - from, 29, 5000);
	queue_free(q);
}

static void test_close(void **state)
{
	(void)state;
	struct queue *q = queue_new(4, -1);
	void *got[4];

	assert_true(queue_push(q, item(1)));
	assert_false(queue_is_closed(q));
	queue_close(q);
	queue_close(q);
	assert_true(queue_is_closed(q));
	assert_false(queue_push(q, item(2)));
	assert_int_equal(queue_pop(q, got, 4, -1), 1);
	assert_ptr_equal(got[0], item(1));
	assert_int_equal(queue_pop(q, got, 4, -1), 0);
	assert_int_equal(queue_pop(q, got, 4, INT64_MAX), 0);
	queue_free(q);
}

static uint64_t drain(int fd)
{
	uint64_t count = 0;

	return read(fd, &count, sizeof count) == sizeof count ? count : 0;
}

static void test_wakes_only_from_empty(void **state)
{
	(void)state;
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	struct queue *q = queue_new(8, fd);
	void *got[8];

	assert_true(fd >= 0);
	assert_int_equal(drain(fd), 0);
	for (uintptr_t i = 1; i <= 5; i++)
		assert_true(queue_push(q, item(i)));
	assert_int_equal(drain(fd), 1);
	assert_int_equal(queue_pop(q, got, 4, 0), 4);
	assert_true(queue_push(q, item(6)));
	assert_int_equal(drain(fd), 0);
	assert_int_equal(queue_pop(q, got, 8, 0), 2);
	assert_true(queue_push(q, item(7)));
	assert_int_equal(drain(fd), 1);
	queue_free(q);
	close(fd);
}

struct popper {
	struct queue *q;
	size_t got;
};

static void *pop_for_ever(void *arg)
{
	struct popper *p = arg;
	void *items[4];
	size_t count;

	while ((count = queue_pop(p->q, items, 4, -1)) > 0)
		p->got += count;
	return NULL;
}

static void test_close_wakes_every_popper(void **state)
{
	(void)state;
	enum { THREADS = 4 };
	struct queue *q = queue_new(4, -1);
	pthread_t threads[THREADS];
	struct popper poppers[THREADS];

	for (int i = 0; i < THREADS; i++) {
		poppers[i] = (struct popper){ .q = q };
		assert_int_equal(pthread_create(&threads[i], NULL, pop_for_ever, &poppers[i]), 0);
	}
	queue_close(q);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(poppers[i].got, 0);
	}
	queue_free(q);
}

enum { PUSHERS = 3, POPPERS = 3, EACH = 20000 };

struct shared {
	struct queue *q;
	unsigned char seen[PUSHERS * EACH];
	pthread_mutex_t lock;
};

struct worker {
	struct shared *shared;
	uintptr_t first;
};

static void *push_many(void *arg)
{
	struct worker *w = arg;

	for (uintptr_t i = 0; i < EACH; i++)
		while (!queue_push(w->shared->q, item(w->first + i + 1)))
			sched_yield();
	return NULL;
}

static void *pop_many(void *arg)
{
	struct shared *s = ((struct worker *)arg)->shared;
	uintptr_t last[PUSHERS] = { 0 };
	void *items[7];
	size_t count;

	while ((count = queue_pop(s->q, items, 7, -1)) > 0) {
		pthread_mutex_lock(&s->lock);
		for (size_t i = 0; i < count; i++) {
			uintptr_t number = (uintptr_t)items[i] - 1;

			/* What one pusher pushed comes in its order to whoever gets it. */
			must(number + 1 > last[number / EACH]);
			last[number / EACH] = number + 1;
			s->seen[number]++;
		}
		pthread_mutex_unlock(&s->lock);
	}
	return NULL;
}

/* A wake-up that gets lost leaves a popper asleep beside items and this test hanging. */
static void test_nothing_lost_between_threads(void **state)
{
	(void)state;
	struct shared *s = calloc(1, sizeof *s);
	pthread_t pushers[PUSHERS], poppers[POPPERS];
	struct worker workers[PUSHERS], reader = { .shared = s };

	assert_non_null(s);
	s->q = queue_new(16, -1);
	pthread_mutex_init(&s->lock, NULL);
	for (int i = 0; i < POPPERS; i++)
		assert_int_equal(pthread_create(&poppers[i], NULL, pop_many, &reader), 0);
	for (int i = 0; i < PUSHERS; i++) {
		workers[i] = (struct worker){ .shared = s, .first = (uintptr_t)i * EACH };
		assert_int_equal(pthread_create(&pushers[i], NULL, push_many, &workers[i]), 0);
	}
	for (int i = 0; i < PUSHERS; i++)
		pthread_join(pushers[i], NULL);
	queue_close(s->q);
	for (int i = 0; i < POPPERS; i++)
		pthread_join(poppers[i], NULL);
	for (int i = 0; i < PUSHERS * EACH; i++)
		assert_int_equal(s->seen[i], 1);
	pthread_mutex_destroy(&s->lock);
	queue_free(s->q);
	free(s);
}

struct echo {
	struct queue *to, *from;
};

static void *echo(void *arg)
{
	struct echo *e = arg;
	void *got;

	while (queue_pop(e->to, &got, 1, -1) == 1)
		must(queue_push(e->from, got));
	return NULL;
}

/* One at a time there and back: every push finds an empty queue and perhaps a sleeper. */
static void test_ping_pong(void **state)
{
	(void)state;
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	struct echo e = { .to = queue_new(1, -1), .from = queue_new(1, fd) };
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, echo, &e), 0);
	for (uintptr_t i = 1; i <= 2000; i++) {
		struct pollfd ready = { .fd = fd, .events = POLLIN };
		void *got = NULL;

		assert_true(queue_push(e.to, item(i)));
		assert_int_equal(poll(&ready, 1, 10000), 1);
		assert_int_equal(drain(fd), 1);
		assert_int_equal(queue_pop(e.from, &got, 1, 0), 1);
		assert_ptr_equal(got, item(i));
	}
	queue_close(e.to);
	pthread_join(thread, NULL);
	queue_free(e.to);
	queue_free(e.from);
	close(fd);
}

static void *push_eight(void *arg)
{
	for (int i = 1; i <= 8; i++)
		assert_true(queue_push(arg, item(i)));
	return NULL;
}

/* A gatherer sleeps until all it waits for are there, and gives up in time when they do not come. */
static void test_gathers(void **state)
{
	(void)state;
	struct queue *q = queue_new(8, -1);
	int64_t from = now_ms();
	pthread_t thread;
	void *got[8];

	assert_int_equal(queue_gather(q, 3, 20000), 0);
	assert_in_range(now_ms() - from, 19, 5000);
	assert_int_equal(pthread_create(&thread, NULL, push_eight, q), 0);
	assert_int_equal(queue_gather(q, 100, 60 * 1000000), 8); /* no more than there is room for */
	pthread_join(thread, NULL);
	assert_int_equal(queue_pop(q, got, 8, 0), 8);
	queue_close(q);
	assert_int_equal(queue_gather(q, 3, 60 * 1000000), 0);
	queue_free(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_and_bound),
		cmocka_unit_test(test_empty_pop_does_not_wait),
		cmocka_unit_test(test_wait_ends_in_time),
		cmocka_unit_test(test_close),
		cmocka_unit_test(test_wakes_only_from_empty),
		cmocka_unit_test(test_close_wakes_every_popper),
		cmocka_unit_test(test_nothing_lost_between_threads),
		cmocka_unit_test(test_ping_pong),
		cmocka_unit_test(test_gathers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
