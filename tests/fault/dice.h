/* dice: random numbers from a seed, the same on every machine (splitmix64), so that a run can be repeated. */
#ifndef FAULT_DICE_H
#define FAULT_DICE_H

#include <stdint.h>

struct dice {
	uint64_t state;
};

static inline uint64_t dice_roll(struct dice *d)
{
	uint64_t z = d->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* 0 to count - 1. */
static inline uint64_t dice_below(struct dice *d, uint64_t count)
{
	return count == 0 ? 0 : dice_roll(d) % count;
}

/* True so many times in a hundred. */
static inline _Bool dice_percent(struct dice *d, unsigned percent)
{
	return dice_below(d, 100) < percent;
}

/* Dice for part n of what a seed began, unlike those of any other part. */
static inline struct dice dice_of(uint64_t seed, uint64_t n)
{
	struct dice d = { seed };

	d.state = dice_roll(&d) ^ n * 0xd1342543de82ef95;
	return d;
}

#endif
