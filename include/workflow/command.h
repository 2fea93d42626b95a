/* command: what somebody asks of the workflow, with all its texts, in one block of memory. A door makes it from bytes
 * it has checked (UTF-8, lengths, ranges), the queue carries it, the writer decides it and puts the outcome in, and it
 * goes back to its door, which answers and frees it. Owned by exactly one of them at a time. */
#ifndef WORKFLOW_COMMAND_H
#define WORKFLOW_COMMAND_H

#include <stddef.h>
#include <stdint.h>

#include "base/limit.h"
#include "base/refusal.h"
#include "base/settings.h"
#include "base/uuid.h"
#include "workflow/domain.h"
#include "workflow/evidence.h"
#include "workflow/roster.h"

#define COMMAND_PHOTOS_MOST 8
#define COMMAND_UNITS_MOST 4
#define COMMAND_ID_MOST 64            /* bytes of a person, unit or camera id */
#define COMMAND_DESCRIPTION_MOST 4000 /* bytes */
#define COMMAND_TEXT_MOST 2000
#define COMMAND_ADDRESS_MOST 300
#define COMMAND_PHOTO_MOST 128

struct policy;
struct command_pool;

enum command_kind {
	COMMAND_SUBMIT,  /* report → a case */
	COMMAND_ALARM,   /* a camera's alert */
	COMMAND_ACT,     /* an action on a case */
	COMMAND_SEEN,    /* notices read up to value */
	COMMAND_REDEEM,  /* 兑换: value points of person leave */
	COMMAND_CORRECT, /* 冲正: value signed */
	COMMAND_POLICY,  /* the policy that follows takes over from here; the writer's own */
	COMMAND_KEEP,    /* evidence: a file of value bytes and type label is complete */
	COMMAND_EMERGENCY, /* value 0: declared for grid (an area) from began_at_ms until until_ms; else the one to lift */
	COMMAND_AUDIT,     /* recorded before its door goes on: value is what, person its subject, reason its purpose;
	                    * units are accounts that the subject names */
	COMMAND_ERASE,     /* 删除: the data of person go; reason: why */
	COMMAND_CLOCK,     /* replay clock: run to value; settle: to the end of every timer that ends cases */
	/* credentials; new kinds go to the end, for the number is part of what a key's hash stands for */
	COMMAND_ISSUE,  /* a new one of person, named label, until until_ms */
	COMMAND_ROTATE, /* one that follows the one of id value, which ends after extend_ms */
	COMMAND_REVOKE, /* the one of id value, or all of person */
	COMMAND_NOTE, /* a row of the audit that a door tells by itself: value is what, person its subject, posts its count */
	COMMAND_KIND_COUNT
};

/* All texts point into the command's own block, NUL-terminated, or are NULL when not given. */
struct command {
	enum command_kind kind;
	const char *actor;    /* the identity that sent it, as authenticated by its door */
	int64_t credential;   /* by which one; 0: by one that stands in people.csv */
	const char *channel;  /* static: "tcp", "redis", "camera"; which door it came by */
	int64_t replay_at_ms; /* 0: none */
	struct uuid key;      /* all zero: none */
	uint8_t hash[16];     /* first half of SHA-256 over the content and the reporter; set by command_seal */

	/* a report or an alarm */
	int32_t category;
	int32_t lat_e7, lon_e7; /* PLACE_NONE: not given; WGS-84 */
	const char *address, *description, *beneficiary, *programme, *contact_name, *contact_phone;
	const char *reporter;             /* effective account; NULL: anonymous. "<gateway>/<id>" from a gateway */
	enum reporter_kind reporter_kind; /* REPORTER_UNSET: the actor's own */
	_Bool anonymous;
	int64_t seen_at_ms, began_at_ms; /* 0: not told */
	const char *camera, *label, *alarm_event, *alarm_channel;
	double confidence;
	int32_t posts; /* how often its camera has posted this by its own count; 0: not told */
	_Bool ended;
	const char *photos; /* references that are no evidence, joined by ' ', or NULL */
	int photo_count;
	struct evidence_ref *evidence; /* in the block */
	int evidence_count;            /* at most COMMAND_PHOTOS_MOST together with the photos */

	/* an action */
	int64_t case_id;
	enum act act;
	const char *reason, *text, *unit;
	const char *units[COMMAND_UNITS_MOST];
	int unit_count;
	int64_t grid, master;        /* master: a case id */
	int64_t until_ms, extend_ms; /* extend: in the unit of the case's limit, which extend_unit may repeat */
	enum limit_unit extend_unit; /* LIMIT_CLOCK: not said */
	enum finding finding;
	enum rating rating;

	/* points, notices, clock */
	const char *person;
	int64_t value;
	_Bool settle;

	/* a credential: what it is, and what becomes of credentials, for the loop's roster (heap) */
	enum credential_kind credential_kind;
	uint8_t credential_sha256[DIGEST_SIZE];
	_Bool on_the_machine; /* asked for by who rules this machine, as nobody in particular */
	_Bool insist;         /* though no administrator is left then */
	struct credential *changes;
	size_t change_count;

	/* a new policy: held until the command is freed; what is wrong with it goes to its sender's list */
	const struct policy *policy;
	struct problems *problems;

	/* where the answer goes; the workflow does not look at it */
	struct command_origin {
		void (*answer)(void *door, struct command *c); /* called on the loop; owns c from there */
		void *door;
		uint64_t session;
		uint32_t seq;
		uint32_t slot; /* place in a batch frame */
		void *extra;   /* the door's own */
	} origin;

	/* what came of it */
	struct outcome {
		_Bool accepted;
		struct refusal refusal; /* when not accepted */
		int64_t case_id;
		int32_t category; /* for the number */
		enum state state;
		int64_t due_ms;
		_Bool again;                        /* the key was known: this is the answer of then */
		int64_t merged_into, maybe_same_as; /* case ids, 0: none */
		int32_t merged_into_category, maybe_same_category;
		int64_t balance, payable; /* points commands */
		int64_t emergency;        /* its id */
		int64_t made;             /* id of the credential */
	} outcome;
	/* block management */
	struct command_pool *pool; /* where it came from; NULL: the heap */
	size_t arena_used, arena_size;
	char arena[];
};

struct command *command_new(enum command_kind kind, size_t arena) MUST_USE; /* zeroed, room for arena bytes of text */
void command_free(struct command *c);    /* NULL is fine; on the thread of the pool that it may have come from */
void command_discard(struct command *c); /* the same on any thread, whether that pool is still there or not */
/* Copies bytes into the command's block with a terminator; NULL for length 0. The room must have been asked for. */
const char *command_text(struct command *c, const void *bytes, size_t length);
/* Room for count references, zeroed; sizeof(struct evidence_ref) each must have been asked for. NULL for none. */
struct evidence_ref *command_evidence(struct command *c, int count);

struct digester;
/* Computes hash over everything that makes two commands the same request (not the actor's connection, not replay_at). */
void command_seal(struct command *c, struct digester *d);

#endif
