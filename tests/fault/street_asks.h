/* street_asks: requests made up by dice, kept so that each can be sent again word for word. */
#ifndef FAULT_STREET_ASKS_H
#define FAULT_STREET_ASKS_H

#include "base/digest.h"
#include "dice.h"
#include "workflow/command.h"

enum ask_fate {
	ASK_WAITS,   /* sent, not answered: its sender will send it again */
	ASK_TAKEN,   /* acknowledged */
	ASK_REFUSED, /* for good: nothing was promised */
	ASK_FATES
};

struct ask {
	enum command_kind kind;
	struct uuid key;
	const char *actor;
	enum act act;
	int64_t case_id; /* of an action; of a report once it is acknowledged */
	enum state state;
	int number; /* its own, from 0; of a photo too, which its digest is made of */
	int photo;  /* that it names */
	enum ask_fate fate;
	_Bool present; /* the database has it, acknowledged or not */
};

struct asks {
	struct ask *all;
	size_t count, room;
	uint64_t seed;
	struct digester *digester;
};

void asks_begin(struct asks *a, uint64_t seed); /* forgets all */
/* A new one. */
struct ask *asks_add(struct asks *a, struct dice *d, int64_t now_ms);
/* One that was not answered, or one in a few of those that were, to be sent again; NULL: none this time. */
struct ask *asks_again(struct asks *a, struct dice *d);
/* origin is left to the caller. */
struct command *asks_command(const struct asks *a, const struct ask *k);
struct ask *asks_find(struct asks *a, const uint8_t key[UUID_SIZE]); /* NULL: none of ours */

#endif
