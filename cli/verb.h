/* verb: what every `gridloop VERB` is made of. Each verb's file offers rows of this struct; registry.c puts them
 * together; main.c runs the one that was asked for. */
#ifndef CLI_VERB_H
#define CLI_VERB_H

#include "login.h"
#include "options.h"

enum phase { PHASE_DISCOVER, PHASE_HANDLE, PHASE_FEEDBACK, PHASE_REWARD, PHASE_LOOK, PHASE_OPERATE, PHASE_COUNT };

enum verb_flags {
	VERB_SERVER = 1 << 0, /* talks to the daemon: takes --server, --as, --token */
	VERB_JSON = 1 << 1,   /* takes --json */
	VERB_CSV = 1 << 2     /* takes --csv */
};

struct call;

struct verb {
	const char *name; /* may have two words: "case list" */
	const char *zh;
	enum phase phase;
	unsigned flags;
	const char *usage;                /* what stands behind the name: "NUMBER [options]" */
	const char *summary;              /* one line */
	const char *help;                 /* what it does, as paragraphs; NULL: the summary says it all */
	const struct option_row *options; /* ends with a NULL name; NULL: none of its own */
	const char *example;              /* one or more command lines, a line each */
	const char *related;              /* "case show, sign" */
	int least_words, most_words;      /* besides options; most -1: any number */
	enum exit_code (*run)(struct call *call);
	int act;               /* acts only: enum Act */
	unsigned takes, needs; /* acts only: bits of act_options */
};

/* One running verb. */
struct call {
	const struct verb *verb;
	struct options options;
	struct login login;
	char *login_texts[LOGIN_TEXTS];
	struct client *client; /* opened by call_ask when first needed */
	_Bool json, csv, color, tty;
	size_t width; /* of the terminal; 0: not one */
};

/* ---- the registry ---- */
const struct verb *verb_at(size_t i); /* NULL past the end */
/* The verb named by the first one or two arguments; *used says how many. NULL: none. */
const struct verb *verb_find(int argc, char **argv, int *used);
/* The verb whose name is nearest to what was typed, NULL when none is near. */
const struct verb *verb_nearest(const char *typed);
/* Every row that applies to the verb. */
void verb_options(const struct verb *v, struct option_set *set);
extern const char *const phase_titles[PHASE_COUNT];

/* ---- what verbs use ---- */
/* The daemon's time after connecting, for times such as "2h"; connects when needed. false: printed, call's exit in *exit. */
_Bool call_now(struct call *call, int64_t *now_ms, enum exit_code *exit_with) MUST_USE;
/* Asks and returns the reply of the wanted body; NULL: the trouble was printed and *exit set. */
server_frame *call_ask(struct call *call, client_frame *f, int wanted, enum exit_code *exit_with) MUST_USE;
/* As call_ask, resending when the connection is lost: for frames with a key. */
server_frame *call_ask_surely(struct call *call, client_frame *f, int wanted, enum exit_code *exit_with) MUST_USE;
/* A complaint about usage, with a pointer to the verb's help; returns EXIT_USAGE. */
enum exit_code call_usage(const struct call *call, const char *format, ...) PRINTF_LIKE(2, 3);
/* The key given with --key, else a new one. false: --key is no key (printed). */
_Bool call_key(const struct call *call, struct uuid *key) MUST_USE;
int64_t wall_now_ms(void);

/* The policy of a folder, or of the folder that a configuration file names; NULL: problems. */
struct policy;
struct problems;
struct policy *policy_of(const char *path, struct problems *p) MUST_USE;

/* verb_case.c: a whole case as an object. */
struct json;
void view_json(struct json *j, const wire_view *v);

/* help.c */
void help_overview(FILE *to);
void help_verb(const struct verb *v, FILE *to);

/* ---- tables of verbs, each ending with a NULL name ---- */
extern const struct verb report_verbs[], case_verbs[], act_verbs[], watch_verbs[], notice_verbs[], points_verbs[],
	stats_verbs[], where_verbs[], evidence_verbs[], operate_verbs[], reload_verbs[], emergency_verbs[],
	identity_verbs[], offline_verbs[], posts_verbs[], rights_verbs[], replay_verbs[], camera_verbs[],
	evaluate_verbs[], backup_verbs[], doctor_verbs[], audit_verbs[], person_verbs[], help_verbs[];
/* What an act may be given; bit i of takes and needs is row i. */
extern const struct option_row act_options[];

#endif
