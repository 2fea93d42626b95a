#include "intake/wire.h"

#include <string.h>

#include "net/frame.h"
#include "workflow/case_number.h"
#include "workflow/domain.h"

/* Tags: field number × 8 + wire type, as proto/gridloop.proto numbers them. */
#define VARINT(field) ((field) << 3)
#define BYTES(field) ((field) << 3 | 2)

enum frame_tag {
	FRAME_SEQ = VARINT(1),
	FRAME_REFUSAL = BYTES(9),
	FRAME_ANSWER = BYTES(11),
	FRAME_BATCH = BYTES(12),
	FRAME_DONE = BYTES(19)
};
enum answer_tag {
	ANSWER_NUMBER = BYTES(1),
	ANSWER_STATE = VARINT(2),
	ANSWER_DUE = VARINT(3),
	ANSWER_AGAIN = VARINT(4),
	ANSWER_MERGED = BYTES(5),
	ANSWER_SAME = BYTES(6)
};
enum refusal_tag {
	REFUSAL_TAG_CODE = VARINT(1),
	REFUSAL_TAG_RULE = BYTES(2),
	REFUSAL_TAG_SENTENCE = BYTES(3),
	REFUSAL_TAG_RETRY = VARINT(4),
	REFUSAL_TAG_RIGHT = BYTES(58)
};
enum outcome_tag { OUTCOME_ANSWER = BYTES(1), OUTCOME_REFUSAL = BYTES(2) };

#define BODY_MOST (WIRE_REPLY_MOST - 32) /* of an Answer or Refusal, without what goes around it */

/* ---- pieces ---- */

static uint8_t *put_varint(uint8_t *at, uint64_t value)
{
	while (value >= 0x80) {
		*at++ = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	*at++ = (uint8_t)value;
	return at;
}

/* proto3 leaves out what is 0 or empty. */
static uint8_t *put_int(uint8_t *at, unsigned tag, int64_t value)
{
	if (value == 0)
		return at;
	return put_varint(put_varint(at, tag), (uint64_t)value);
}

static uint8_t *put_bytes(uint8_t *at, unsigned tag, const void *bytes, size_t length)
{
	at = put_varint(put_varint(at, tag), length);
	memcpy(at, bytes, length);
	return at + length;
}

static uint8_t *put_text(uint8_t *at, unsigned tag, const char *text)
{
	return text && *text ? put_bytes(at, tag, text, strlen(text)) : at;
}

static uint8_t *put_number(uint8_t *at, unsigned tag, int64_t case_id, int32_t category)
{
	char number[CASE_NUMBER_SIZE];

	if (case_id == 0)
		return at;
	case_number_text(case_id, category, number);
	return put_text(at, tag, number);
}

/* ---- bodies ---- */

static size_t answer_body(uint8_t *out, const struct outcome *o)
{
	uint8_t *at = put_number(out, ANSWER_NUMBER, o->case_id, o->category);

	at = put_int(at, ANSWER_STATE, o->state);
	at = put_int(at, ANSWER_DUE, o->due_ms);
	at = put_int(at, ANSWER_AGAIN, o->again);
	at = put_number(at, ANSWER_MERGED, o->merged_into, o->merged_into_category);
	at = put_number(at, ANSWER_SAME, o->maybe_same_as, o->maybe_same_category);
	must(at <= out + BODY_MOST);
	return (size_t)(at - out);
}

static size_t refusal_body(uint8_t *out, const struct refusal *why)
{
	uint8_t *at = put_int(out, REFUSAL_TAG_CODE, why->code);

	at = put_text(at, REFUSAL_TAG_RULE, why->rule);
	at = put_text(at, REFUSAL_TAG_SENTENCE, why->sentence);
	at = put_int(at, REFUSAL_TAG_RETRY, why->retry_after_ms);
	at = put_text(at, REFUSAL_TAG_RIGHT, why->right);
	must(at <= out + BODY_MOST);
	return (size_t)(at - out);
}

/* Head, seq, and one body under its tag: a whole frame. */
static size_t frame_around(uint8_t *out, uint32_t seq, unsigned tag, const uint8_t *body, size_t length)
{
	size_t seq_size = seq ? 1 + frame_head_size(seq) : 0;
	size_t whole = seq_size + frame_head_size(tag) + frame_head_size(length) + length;
	uint8_t *at = out + frame_head(out, whole);

	at = put_bytes(put_int(at, FRAME_SEQ, seq), tag, body, length);
	return (size_t)(at - out);
}

/* ---- replies ---- */

size_t wire_answer(uint8_t *out, uint32_t seq, const struct outcome *o)
{
	uint8_t body[BODY_MOST];

	return frame_around(out, seq, FRAME_ANSWER, body, answer_body(body, o));
}

size_t wire_refusal(uint8_t *out, uint32_t seq, const struct refusal *why)
{
	uint8_t body[BODY_MOST];

	return frame_around(out, seq, FRAME_REFUSAL, body, refusal_body(body, why));
}

size_t wire_done(uint8_t *out, uint32_t seq)
{
	return frame_around(out, seq, FRAME_DONE, (const uint8_t *)"", 0);
}

size_t wire_outcome(uint8_t *out, uint32_t seq, const struct outcome *o)
{
	return o->accepted ? wire_answer(out, seq, o) : wire_refusal(out, seq, &o->refusal);
}

static uint8_t *put_outcome(uint8_t *at, const struct outcome *o)
{
	uint8_t body[BODY_MOST], wrapped[WIRE_REPLY_MOST];
	size_t length = o->accepted ? answer_body(body, o) : refusal_body(body, &o->refusal);
	uint8_t *end = put_bytes(wrapped, o->accepted ? OUTCOME_ANSWER : OUTCOME_REFUSAL, body, length);

	return put_bytes(at, BYTES(1), wrapped, (size_t)(end - wrapped));
}

size_t wire_batch(uint8_t *out, uint32_t seq, const struct outcome *const *outcomes, size_t count)
{
	uint8_t body[WIRE_BATCH_BYTES];
	uint8_t *at = body;

	must(count <= WIRE_BATCH_MOST);
	for (size_t i = 0; i < count; i++)
		at = put_outcome(at, outcomes[i]);
	return frame_around(out, seq, FRAME_BATCH, body, (size_t)(at - body));
}

size_t wire_size(const Gridloop__V1__ServerFrame *f)
{
	size_t body = gridloop__v1__server_frame__get_packed_size(f);

	return frame_head_size(body) + body;
}

size_t wire_pack(const Gridloop__V1__ServerFrame *f, uint8_t *out)
{
	size_t body = gridloop__v1__server_frame__get_packed_size(f);
	size_t head = frame_head(out, body);

	return head + gridloop__v1__server_frame__pack(f, out + head);
}

ProtobufCBinaryData wire_text(const char *text)
{
	return (ProtobufCBinaryData){ .len = text ? strlen(text) : 0, .data = (uint8_t *)(uintptr_t)text };
}

uint32_t wire_guess_seq(const uint8_t *body, size_t length)
{
	uint64_t value = 0;

	if (length < 2 || body[0] != FRAME_SEQ)
		return 0;
	for (size_t i = 1; i < length && i <= FRAME_HEAD_MOST; i++) {
		value |= (uint64_t)(body[i] & 0x7f) << (7 * (i - 1));
		if (!(body[i] & 0x80))
			return value <= UINT32_MAX ? (uint32_t)value : 0;
	}
	return 0;
}
