/* street: the daemon's real writer, with its store and its workflow, on the disk of disk.h, and a list of what it has
 * acknowledged. Requests come from dice: reports, every step of a case's life, evidence, points; time goes on between
 * them and timers fire. Everything runs on one thread, so that a seed repeats it: base/queue is replaced at
 * link time by a queue that makes requests up when asked.
 *
 * The database is looked at after each restart: every acknowledged request is there once, nothing that was published is
 * gone, and verify holds. */
#ifndef FAULT_STREET_H
#define FAULT_STREET_H

#include <stdint.h>

#include "dice.h"
#include "disk.h"

/* What is wrong on purpose, to see that it is found. */
enum street_control {
	STREET_SOUND,
	STREET_LAZY,  /* the writer is not told to sync each commit: synchronous=NORMAL */
	STREET_LIAR,  /* the disk says that it synced */
	STREET_HASTY, /* answers are given before the commit */
	STREET_CONTROLS
};

struct street_findings {
	uint64_t acknowledged, lost, doubled, integrity_errors;
};

/* Once: the policy, the folder of the lock file, SQLite's VFS. control holds from then on. */
void street_open(enum street_control control);
void street_close(void);
const char *street_path(void);
/* As long as it lives findings are counted there, with a line on stderr for each. */
void street_count(struct street_findings *f, _Bool quiet);

/* An empty disk and nothing acknowledged yet. The writer must not run. */
void street_found(uint64_t seed);
/* Keeps the street as it is, its writer stopped, to go back to it any number of times: one copy at most. */
void street_keep(void);
void street_go_back(uint64_t seed); /* with dice of this seed from here on */
/* Opens store and writer. false when that fails; *cause (heap) says why. */
_Bool street_start(char **cause) MUST_USE;
_Bool street_is_running(void);
/* So many rounds of requests, or until the writer gives up; the code it asked to exit with, 0 for none. */
int street_run(int rounds);
void street_stop(void);
/* The power or the process was lost: what was not answered is sent again next time. */
void street_look(void);
/* For whoever stands between the writer and its commit: STREET_HASTY answers now. */
void street_commits(void);
/* A plan with what the control is about; the rest is the caller's. */
struct disk_plan street_plan(void);
struct dice *street_dice(void);
/* Rows that the requests so far have led to, to see that a scenario is one. */
struct street_reach {
	int64_t open, archived, events, points, evidence;
};
struct street_reach street_reach(void);

#endif
