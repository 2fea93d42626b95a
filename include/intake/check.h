/* check: is this field what it says it is? One function a kind of field; each fills a refusal that names its rule. */
#ifndef INTAKE_CHECK_H
#define INTAKE_CHECK_H

#include <stdint.h>

#include "base/refusal.h"
#include "base/text.h"
#include "base/uuid.h"
#include "gridloop.pb-c.h"

#define CHECK_FUTURE_MOST_MS (INT64_C(48) * 3600 * 1000)      /* a reporter's clock may run ahead so far */
#define CHECK_EARLIEST_MS INT64_C(946684800000)               /* 2000-01-01 */
#define CHECK_LATEST_MS INT64_C(4102444800000)                /* 2100-01-01: what a replay clock may be moved to */
#define CHECK_SPAN_MOST_MS (INT64_C(3660) * 24 * 3600 * 1000) /* ten years: no limit of ours is longer */

struct text_rule {
	enum text_kind kind;
	size_t most;                       /* bytes */
	const char *name;                  /* as the wire contract calls the field */
	const char *form_rule, *size_rule; /* names of the rules, static */
};
#define TEXT_RULE(kind_, most_, name_)                                                                                 \
	{                                                                                                              \
		kind_, most_, #name_, (kind_) == TEXT_ID ? #name_ "-is-an-id" : #name_ "-is-utf8",                     \
			#name_ "-is-short-enough"                                                                      \
	}

/* Empty is text of every kind: whether a field may be left out is its owner's to say. */
_Bool check_text(const ProtobufCBinaryData *bytes, const struct text_rule *rule, struct refusal *why) MUST_USE;
/* The same with a NUL-terminated copy; size > rule->most. */
_Bool check_copy(const ProtobufCBinaryData *bytes, const struct text_rule *rule, char *out, size_t size,
                 struct refusal *why) MUST_USE;

/* A code such as "E0110"; with class_too also "E01" (as 10100). Empty: 0, allowed. */
_Bool check_category(const ProtobufCBinaryData *bytes, _Bool class_too, int32_t *out, struct refusal *why) MUST_USE;
/* 12 or 15 digits. Empty: 0, allowed. */
_Bool check_area(const ProtobufCBinaryData *bytes, int64_t *out, struct refusal *why) MUST_USE;
/* A case's number → its id. Empty: 0, refused unless may_be_empty. */
_Bool check_case_number(const ProtobufCBinaryData *bytes, _Bool may_be_empty, int64_t *out,
                        struct refusal *why) MUST_USE;
_Bool check_key(const ProtobufCBinaryData *bytes, _Bool may_be_empty, struct uuid *out, struct refusal *why) MUST_USE;
/* Absent and exactly 0,0 (what a phone without a fix sends) give PLACE_NONE; GCJ-02 becomes WGS-84. */
_Bool check_place(const Gridloop__V1__Place *place, int32_t *lat_e7, int32_t *lon_e7, struct refusal *why) MUST_USE;
/* A moment that has been: 0, or from 2000 on and at most 48 h after now_ms. */
_Bool check_past(int64_t at_ms, int64_t now_ms, const char *rule, struct refusal *why) MUST_USE;
/* A number within bounds, both included. */
_Bool check_range(int64_t value, int64_t least, int64_t most, const char *rule, struct refusal *why) MUST_USE;

#endif
