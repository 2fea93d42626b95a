/* audit: who looked at or changed what (审计). A look by staff at a case, a list or a person's points is recorded before
 * its answer goes out; what changes people, points or the policy is recorded with the change, and so is who of the staff
 * did what to a case: the case's event says the rest. The store chains the rows (store/chain.h), so that an edited or
 * missing one is found, and an event that somebody has put another's name to. */
#ifndef WORKFLOW_AUDIT_H
#define WORKFLOW_AUDIT_H

#include <stdint.h>

#include "base/must.h"

/* The numbers stand in the database and in proto/gridloop.proto and never change. */
enum audited {
	AUDITED_NONE = 0,
	AUDITED_LOOK_CASE = 1,     /* subject: the case's number */
	AUDITED_LOOK_LIST = 2,     /* subject: what was asked for */
	AUDITED_LOOK_POINTS = 3,   /* subject: the person, or "board" */
	AUDITED_LOOK_EVIDENCE = 4, /* subject: the file's digest */
	AUDITED_LOOK_AUDIT = 5,    /* subject: what was asked for */
	AUDITED_UNMASK = 6,        /* subject: the case's number; purpose: why */
	AUDITED_FOLLOW_EVENTS = 7, /* subject: the area */
	AUDITED_EXPORT = 8,        /* subject: the person */
	AUDITED_ERASE = 9,         /* subject: the pseudonym that stands for the person now; count: its ledger rows */
	AUDITED_EXPIRE = 10,       /* personal fields whose time was over; count: cases */
	AUDITED_CREDENTIAL_MADE = 11,  /* subject: whose */
	AUDITED_CREDENTIAL_ENDED = 12, /* subject: whose */
	AUDITED_RELOAD = 13,           /* subject: the policy's digest */
	AUDITED_EMERGENCY = 14,        /* subject: its area; purpose: why, or that it is lifted */
	AUDITED_CORRECT = 15,          /* subject: the person; count: points; purpose: why */
	AUDITED_LOGIN = 16, /* subject: who; count: how many more there were within the span (intake/logins.h) */
	AUDITED_LOGIN_REFUSED = 17, /* subject: whom somebody said it was, if there is such a one; count as above */
	AUDITED_SESSION_ENDED = 18, /* what it was logged in with holds no more; subject: who; count as above */
	AUDITED_CUT = 19,           /* older rows of the audit went; subject: the last one's id and link; count: rows */
	AUDITED_ACT = 20, /* a step of a case by staff; subject: its number; purpose: the act; count: its event */
	AUDITED_COUNT
};

#define AUDIT_SELF "self"         /* who: the person that the row is about */
#define AUDIT_SOMEBODY "somebody" /* who: nobody knows */
#define AUDIT_SUBJECT_MOST 300    /* bytes: a filter with every field set */
#define AUDIT_PURPOSE_MOST 300

/* A row to be. subject and purpose may be NULL. */
struct audit_fact {
	int64_t at_ms;
	enum audited what;
	const char *who; /* person id; "system" for the daemon itself; AUDIT_SELF */
	const char *subject;
	const char *purpose;
	const char *channel; /* the door it came by */
	int64_t count;
	const char *erased; /* AUDITED_ERASE: whose data goes with the row; it does not stand in it */
	char digits[40];    /* room for a subject that is a number */
};

const char *audited_name(enum audited what); /* "look-case" */
const char *audited_zh(enum audited what);
enum audited audited_from_name(const char *name); /* AUDITED_NONE when unknown */

struct decision;
/* Adds the row to what is decided: one a command. */
void audit_add(struct decision *d, enum audited what, const char *subject, const char *purpose, int64_t count);
/* A COMMAND_NOTE: what a door tells of by itself, in nobody's name. */
_Bool audit_note(struct decision *d);
/* Tells of what the command did to its case, if who sent it is staff and no other row tells of it. */
void audit_act(struct decision *d);
/* A COMMAND_AUDIT: something that its door wants recorded before it goes on. */
_Bool audit_judge(struct decision *d);

#endif
