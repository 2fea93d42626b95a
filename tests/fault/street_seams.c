/* What stands in for base/queue: the same calls, on one thread. All of its symbols are here, so that the linker takes none
 * of the real one. */
#include <stdlib.h>

#include "street_parts.h"

struct queue {
	_Bool closed;
};

struct queue *queue_new(size_t capacity, int wake_fd)
{
	static struct queue only;

	(void)capacity;
	(void)wake_fd;
	return &only;
}

void queue_free(struct queue *q)
{
	(void)q;
}

_Bool queue_push(struct queue *q, void *item)
{
	(void)q;
	(void)item;
	return 0;
}

size_t queue_push_many(struct queue *q, void *const *items, size_t count)
{
	(void)q;
	(void)items;
	return 0 * count;
}

/* A round: nothing for a while, or as many as the dice say. */
size_t queue_pop(struct queue *q, void **items, size_t most, int64_t wait_ms)
{
	size_t count;

	(void)q;
	(void)wait_ms;
	if (street.rounds == 0 || disk_is_dead())
		return street.rounds = 0;
	street.rounds--;
	street_time_passes();
	if (dice_percent(&street.dice, 15))
		return 0;
	count = 1 + dice_below(&street.dice, most);
	for (size_t i = 0; i < count; i++)
		items[i] = street_next();
	return count;
}

/* What seems to wait decides how many are taken. */
size_t queue_length(struct queue *q)
{
	(void)q;
	return dice_below(&street.dice, 40);
}

size_t queue_gather(struct queue *q, size_t count, int64_t wait_us)
{
	(void)q;
	(void)count;
	(void)wait_us;
	return dice_below(&street.dice, 2);
}

void queue_close(struct queue *q)
{
	(void)q;
}

_Bool queue_is_closed(struct queue *q)
{
	(void)q;
	return street.rounds == 0;
}
