#include "base/queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MOST_MS (INT64_C(365) * 24 * 3600 * 1000) /* more is cut, so that deadlines cannot overflow */

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t filled;
	void **ring;
	size_t capacity, first, length;
	size_t waiting; /* poppers asleep or about to wake */
	size_t wanted;  /* a gatherer sleeps until there are so many; 0: nobody gathers */
	int wake_fd;
	_Bool closed;
};

struct queue *queue_new(size_t capacity, int wake_fd)
{
	struct queue *q = must_calloc(1, sizeof *q);
	pthread_condattr_t attributes;

	must(capacity >= 1);
	must(pthread_condattr_init(&attributes) == 0);
	/* A wall clock set back would stretch every wait. */
	must(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
	must(pthread_cond_init(&q->filled, &attributes) == 0);
	pthread_condattr_destroy(&attributes);
	must(pthread_mutex_init(&q->lock, NULL) == 0);
	q->ring = must_calloc(capacity, sizeof *q->ring);
	q->capacity = capacity;
	q->wake_fd = wake_fd;
	return q;
}

void queue_free(struct queue *q)
{
	if (!q)
		return;
	pthread_cond_destroy(&q->filled);
	pthread_mutex_destroy(&q->lock);
	free(q->ring);
	free(q);
}

static void lock(struct queue *q)
{
	must(pthread_mutex_lock(&q->lock) == 0);
}

static void unlock(struct queue *q)
{
	must(pthread_mutex_unlock(&q->lock) == 0);
}

static void wake_loop(int fd)
{
	uint64_t one = 1;

	/* EAGAIN means that the counter is full, so the reader is being woken anyway. */
	while (write(fd, &one, sizeof one) < 0 && errno == EINTR)
		;
}

static void put(struct queue *q, void *item)
{
	size_t at = q->first + q->length;

	q->ring[at < q->capacity ? at : at - q->capacity] = item;
	q->length++;
}

size_t queue_push_many(struct queue *q, void *const *items, size_t count)
{
	lock(q);

	size_t before = q->length, room = q->closed ? 0 : q->capacity - before;
	size_t taken = count < room ? count : room;

	for (size_t i = 0; i < taken; i++)
		put(q, items[i]);

	/* Only the first item wakes anyone: a popper that leaves items behind wakes the next one itself. */
	_Bool was_empty = before == 0 && taken > 0;
	_Bool is_enough = before < q->wanted && q->length >= q->wanted;
	_Bool has_sleeper = (was_empty && q->waiting > 0) || is_enough;

	unlock(q);
	if (has_sleeper)
		pthread_cond_signal(&q->filled);
	if (was_empty && q->wake_fd >= 0)
		wake_loop(q->wake_fd);
	return taken;
}

_Bool queue_push(struct queue *q, void *item)
{
	return queue_push_many(q, &item, 1) == 1;
}

static struct timespec deadline_after_us(int64_t us)
{
	struct timespec at;

	must(clock_gettime(CLOCK_MONOTONIC, &at) == 0);
	at.tv_sec += us / 1000000;
	at.tv_nsec += us % 1000000 * 1000;
	if (at.tv_nsec >= 1000000000) {
		at.tv_nsec -= 1000000000;
		at.tv_sec++;
	}
	return at;
}

static struct timespec deadline_after(int64_t wait_ms)
{
	return deadline_after_us((wait_ms < WAIT_MOST_MS ? wait_ms : WAIT_MOST_MS) * 1000);
}

/* With the lock held: sleeps until there is an item, the queue is closed, or the time is up. */
static void wait_filled(struct queue *q, int64_t wait_ms)
{
	int result = 0;
	struct timespec deadline = { 0 };

	if (q->length > 0 || q->closed || wait_ms == 0)
		return;
	if (wait_ms > 0)
		deadline = deadline_after(wait_ms);
	q->waiting++;
	while (q->length == 0 && !q->closed && result != ETIMEDOUT)
		result = wait_ms < 0 ? pthread_cond_wait(&q->filled, &q->lock)
		                     : pthread_cond_timedwait(&q->filled, &q->lock, &deadline);
	q->waiting--;
}

size_t queue_gather(struct queue *q, size_t count, int64_t wait_us)
{
	struct timespec deadline = deadline_after_us(wait_us);
	size_t wanted = count < q->capacity ? count : q->capacity, length;
	int result = 0;

	lock(q);
	q->wanted = wanted;
	while (q->length < wanted && !q->closed && result != ETIMEDOUT)
		result = pthread_cond_timedwait(&q->filled, &q->lock, &deadline);
	q->wanted = 0;
	length = q->length;
	unlock(q);
	return length;
}

static size_t take(struct queue *q, void **items, size_t most)
{
	size_t count = q->length < most ? q->length : most;

	for (size_t i = 0; i < count; i++) {
		items[i] = q->ring[q->first];
		q->first = q->first + 1 < q->capacity ? q->first + 1 : 0;
	}
	q->length -= count;
	return count;
}

size_t queue_pop(struct queue *q, void **items, size_t most, int64_t wait_ms)
{
	lock(q);
	wait_filled(q, wait_ms);

	size_t count = take(q, items, most);
	_Bool pass_on = q->length > 0 && q->waiting > 0;

	unlock(q);
	if (pass_on)
		pthread_cond_signal(&q->filled);
	return count;
}

size_t queue_length(struct queue *q)
{
	lock(q);

	size_t length = q->length;

	unlock(q);
	return length;
}

void queue_close(struct queue *q)
{
	lock(q);
	q->closed = 1;
	pthread_cond_broadcast(&q->filled);
	unlock(q);
}

_Bool queue_is_closed(struct queue *q)
{
	lock(q);

	_Bool closed = q->closed;

	unlock(q);
	return closed;
}
