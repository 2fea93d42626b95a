/* show: how times, states and cases look, as text and as JSON. */
#ifndef CLI_SHOW_H
#define CLI_SHOW_H

#include "base/json.h"
#include "table.h"
#include "wire.h"

#define SHOW_SIZE 64

/* Each fills and returns out. A missing value is "–". */
const char *show_time(int64_t ms, char out[SHOW_SIZE]);                    /* "2026-11-21 14:03" */
const char *show_span(int64_t ms, char out[SHOW_SIZE]);                    /* "45s", "20m", "3h 20m", "2d 4h" */
const char *show_due(int64_t due_ms, int64_t now_ms, char out[SHOW_SIZE]); /* "2026-11-21 14:03 (in 3h 20m)" */
const char *show_state(int state, char out[SHOW_SIZE]);                    /* "HANDLING 处置中" */
const char *show_act(int act, char out[SHOW_SIZE]);                        /* "sign 签收" */

/* Names for JSON: "HANDLING", "sign", "food-rider", "satisfied"; NULL when unset or unknown. */
const char *name_of_state(int state);
const char *name_of_act(int act);
const char *name_of_kind(int kind);
const char *name_of_rating(int rating);
enum tint tint_of_light(const char *light);

/* An ISO time in UTC, or null for 0. */
void json_time(struct json *j, const char *key, int64_t ms);
/* The field, or null when empty. */
void json_field(struct json *j, const char *key, wire_bytes field);
void json_texts(struct json *j, const char *key, const wire_bytes *fields, size_t count);
/* Members of the object that is open. */
void json_summary(struct json *j, const wire_summary *s);
void json_event(struct json *j, const wire_event *e);
void json_answer(struct json *j, const wire_answer *a);
void json_notice(struct json *j, const wire_notice *n);
void json_ledger(struct json *j, const Gridloop__V1__LedgerRow *row);
void json_audit(struct json *j, const Gridloop__V1__AuditRow *row);
void json_identity(struct json *j, const Gridloop__V1__Identity *who);
void json_credential(struct json *j, const Gridloop__V1__Credential *c);
/* "token", "certificate" */
const char *name_of_credential(const Gridloop__V1__Credential *c);

#endif
