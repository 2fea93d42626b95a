#include "wire.h"

#include <stdio.h>
#include <string.h>

#define REPORTER_DIGITS 4 /* a gateway's reports come from this many riders: 16^3 */
#define TEXT_DIGITS 16

/* Protobuf field heads: number << 3 | kind. */
#define LEN(field) ((field) << 3 | 2)
#define VARINT(field) ((field) << 3)
#define FIXED64(field) ((field) << 3 | 1)

struct packer {
	uint8_t *bytes;
	size_t length;
};

static void put(struct packer *p, const void *bytes, size_t length)
{
	memcpy(p->bytes + p->length, bytes, length);
	p->length += length;
}

static void put_varint(struct packer *p, uint64_t value)
{
	do {
		p->bytes[p->length++] = (uint8_t)(value & 0x7f) | (value > 0x7f ? 0x80 : 0);
		value >>= 7;
	} while (value);
}

static void put_bytes(struct packer *p, unsigned field, const void *bytes, size_t length)
{
	put_varint(p, LEN(field));
	put_varint(p, length);
	put(p, bytes, length);
}

static void put_text(struct packer *p, unsigned field, const char *text)
{
	put_bytes(p, field, text, strlen(text));
}

/* The description ends in hexadecimal digits that change, and is filled up with a sentence people would write. */
static void put_description(struct packer *p, struct request *q, size_t wanted)
{
	static const char sentence[] = "楼下垃圾满溢已有两天,气味很大,请尽快清运。";
	char text[WIRE_REQUEST_MOST];
	size_t used = 0;

	while (used + sizeof sentence - 1 + TEXT_DIGITS <= wanted &&
	       used + sizeof sentence < sizeof text - TEXT_DIGITS) {
		memcpy(text + used, sentence, sizeof sentence - 1);
		used += sizeof sentence - 1;
	}
	while (used + TEXT_DIGITS < wanted && used < sizeof text - TEXT_DIGITS)
		text[used++] = '.';
	memset(text + used, '0', TEXT_DIGITS);
	put_bytes(p, 5, text, used + TEXT_DIGITS);
	q->text_at = p->length - TEXT_DIGITS;
}

/* A Report of gridloop.proto. Offsets are from its first byte. */
static size_t pack_report(const struct wire_options *o, struct request *q, uint8_t *out)
{
	struct packer p = { out, 0 };
	static const uint8_t blank[16];
	static const uint8_t reporter[] = { LEN(1), 1 + REPORTER_DIGITS, 'r', '0', '0', '0', '0', VARINT(2), 5 };

	put_bytes(&p, 1, blank, 16);
	q->key_at = p.length - 16;
	put_text(&p, 2, o->category);
	put_varint(&p, LEN(3));
	put_varint(&p, 18);
	put_varint(&p, FIXED64(1));
	q->lat_at = p.length;
	put(&p, blank, 8);
	put_varint(&p, FIXED64(2));
	q->lon_at = p.length;
	put(&p, blank, 8);
	put_text(&p, 4, "渭阳街道人民东路12号院3号楼东侧");
	if (o->gateway) {
		put_bytes(&p, 6, reporter, sizeof reporter);
		q->reporter_at = p.length - 2 - REPORTER_DIGITS;
	}
	put_description(&p, q, o->payload > p.length + 3 ? o->payload - p.length - 3 : 0);
	return p.length;
}

static void shift(struct request *q, size_t by)
{
	size_t *const at[] = { &q->key_at, &q->lat_at, &q->lon_at, &q->text_at, &q->reporter_at };

	for (size_t i = 0; i < sizeof at / sizeof at[0]; i++)
		if (*at[i])
			*at[i] += by;
}

static size_t frame(uint8_t *out, const uint8_t *body, size_t length)
{
	struct packer p = { out, 0 };

	put_varint(&p, length);
	put(&p, body, length);
	return p.length;
}

static size_t gridloop_hello(const struct wire_options *o, uint8_t out[WIRE_REQUEST_MOST])
{
	uint8_t login[WIRE_REQUEST_MOST / 2], body[WIRE_REQUEST_MOST];
	struct packer l = { login, 0 }, b = { body, 0 };

	put_text(&l, 1, o->who);
	put_text(&l, 2, o->token);
	put_text(&l, 3, "gridloop-bench/1");
	put_varint(&b, VARINT(1));
	put_varint(&b, 1);
	put_bytes(&b, 10, login, l.length);
	return frame(out, body, b.length);
}

static void gridloop_request(const struct wire_options *o, struct request *q)
{
	uint8_t report[WIRE_REQUEST_MOST], body[WIRE_REQUEST_MOST];
	struct packer b = { body, 0 };

	memset(q, 0, sizeof *q);
	q->payload = pack_report(o, q, report);
	put_varint(&b, VARINT(1));
	put_varint(&b, WIRE_SEQ_FIRST);
	put_bytes(&b, 11, report, q->payload);
	q->length = frame(q->bytes, body, b.length);
	q->seq_at = q->length - b.length + 1;
	shift(q, q->length - q->payload);
}

/* Reads a varint of at most ten bytes; the bytes it took, 0 when it is cut off. */
static size_t get_varint(const uint8_t *in, size_t length, uint64_t *out)
{
	*out = 0;
	for (size_t i = 0; i < length && i < 10; i++) {
		*out |= (uint64_t)(in[i] & 0x7f) << (7 * i);
		if (!(in[i] & 0x80))
			return i + 1;
	}
	return 0;
}

struct field {
	unsigned number, kind;
	uint64_t value; /* of a varint, or the length of bytes */
	const uint8_t *bytes;
};

/* The next field of a message; false at its end or when it is broken. */
static _Bool next_field(const uint8_t **at, const uint8_t *end, struct field *f)
{
	uint64_t head;
	size_t took = get_varint(*at, (size_t)(end - *at), &head);

	if (took == 0)
		return 0;
	*at += took;
	f->number = (unsigned)(head >> 3);
	f->kind = head & 7;
	if (f->kind != 0 && f->kind != 2)
		return 0;
	took = get_varint(*at, (size_t)(end - *at), &f->value);
	if (took == 0)
		return 0;
	*at += took;
	f->bytes = *at;
	if (f->kind != 2)
		return 1;
	if (f->value > (uint64_t)(end - *at))
		return 0;
	*at += f->value;
	return 1;
}

static void tell_refusal(const struct field *refusal, char *why, size_t room)
{
	const uint8_t *at = refusal->bytes, *end = at + refusal->value;
	struct field f, rule = { 0 }, sentence = { 0 };
	uint64_t code = 0;

	while (next_field(&at, end, &f)) {
		if (f.number == 1)
			code = f.value;
		else if (f.number == 2)
			rule = f;
		else if (f.number == 3)
			sentence = f;
	}
	snprintf(why, room, "refused with code %u, rule %.*s: %.*s", (unsigned)code, (int)rule.value,
	         rule.bytes ? (const char *)rule.bytes : "", (int)sentence.value,
	         sentence.bytes ? (const char *)sentence.bytes : "");
}

static ssize_t gridloop_reply(const uint8_t *in, size_t length, _Bool welcome, uint32_t *seq, _Bool *push, char *why,
                              size_t room)
{
	const unsigned wanted = welcome ? 10 : 11;
	struct field f;
	_Bool found = 0;
	uint64_t size;
	size_t head = get_varint(in, length, &size);

	*seq = 0;
	if (head == 0 && length < 10)
		return REPLY_MORE;
	if (head == 0 || size > WIRE_REPLY_MOST - 5) {
		snprintf(why, room, "the length before a frame is no length");
		return REPLY_BAD;
	}
	if (length - head < size)
		return REPLY_MORE;
	for (const uint8_t *at = in + head, *end = at + size; next_field(&at, end, &f);) {
		if (f.number == 1)
			*seq = (uint32_t)f.value;
		else if (f.number == wanted)
			found = 1;
		else if (f.number == 9)
			tell_refusal(&f, why, room);
	}
	*push = *seq == 0;
	if (found || *push)
		return (ssize_t)(head + size);
	if (why[0] == 0)
		snprintf(why, room, "a reply that is neither an answer nor a refusal");
	return REPLY_BAD;
}

static size_t redis_hello(const struct wire_options *o, uint8_t out[WIRE_REQUEST_MOST])
{
	(void)o;
	(void)out;
	return 0;
}

static void redis_request(const struct wire_options *o, struct request *q)
{
	uint8_t report[WIRE_REQUEST_MOST];

	memset(q, 0, sizeof *q);
	q->payload = pack_report(o, q, report);
	int head = snprintf((char *)q->bytes, sizeof q->bytes,
	                    "*5\r\n$4\r\nXADD\r\n$%zu\r\n%s\r\n$1\r\n*\r\n$5\r\nentry\r\n$%zu\r\n", strlen(o->stream),
	                    o->stream, q->payload);
	memcpy(q->bytes + head, report, q->payload);
	memcpy(q->bytes + head + q->payload, "\r\n", 2);
	q->length = (size_t)head + q->payload + 2;
	shift(q, (size_t)head);
}

/* XADD answers with the entry's id as a bulk string: "$15\r\n1526919030474-5\r\n". */
static ssize_t redis_reply(const uint8_t *in, size_t length, _Bool welcome, uint32_t *seq, _Bool *push, char *why,
                           size_t room)
{
	const uint8_t *line = memchr(in, '\n', length);
	size_t size = 0;

	(void)welcome;
	*seq = 0;
	*push = 0;
	if (!line)
		return REPLY_MORE;
	if (in[0] != '$' || line - in < 3 || line - in > 8) {
		snprintf(why, room, "%.*s", (int)(line - in), (const char *)in);
		return REPLY_BAD;
	}
	for (const uint8_t *p = in + 1; *p >= '0' && *p <= '9'; p++)
		size = size * 10 + (size_t)(*p - '0');
	size += (size_t)(line - in) + 3;
	return size <= length ? (ssize_t)size : REPLY_MORE;
}

const struct wire wire_gridloop = { "gridloop", gridloop_hello, gridloop_request, gridloop_reply };
const struct wire wire_redis = { "redis", redis_hello, redis_request, redis_reply };

/* SplitMix64 (Steele, Lea and Flood): one addition and three mixing steps. */
uint64_t wire_random(struct wire_random *r)
{
	uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

void wire_key(uint8_t out[16], int64_t unix_ms, struct wire_random *r)
{
	uint64_t a = wire_random(r), b = wire_random(r);

	for (int i = 0; i < 6; i++)
		out[i] = (uint8_t)(unix_ms >> (40 - 8 * i));
	memcpy(out + 6, &a, 2);
	memcpy(out + 8, &b, 8);
	out[6] = (out[6] & 0x0f) | 0x70;
	out[8] = (out[8] & 0x3f) | 0x80;
}

static void stamp_place(uint8_t *lat_out, uint8_t *lon_out, const struct wire_options *o, struct wire_random *r)
{
	uint64_t bits = wire_random(r);
	const struct box *b = &o->boxes[wire_random(r) % o->box_count];
	double lat = b->south + (b->north - b->south) * ((double)(uint32_t)bits / 4294967296.0);
	double lon = b->west + (b->east - b->west) * ((double)(uint32_t)(bits >> 32) / 4294967296.0);

	memcpy(lat_out, &lat, 8); /* protobuf's doubles are little-endian, as is every machine this runs on */
	memcpy(lon_out, &lon, 8);
}

static void stamp_hex(uint8_t *out, size_t digits, uint64_t bits)
{
	for (size_t i = 0; i < digits; i++, bits >>= 4)
		out[i] = (uint8_t) "0123456789abcdef"[bits & 15];
}

static void stamp_seq(uint8_t *out, uint32_t seq)
{
	for (int i = 0; i < 4; i++, seq >>= 7)
		out[i] = (uint8_t)(seq & 0x7f) | (i < 3 ? 0x80 : 0);
}

void wire_stamp(const struct request *q, const struct wire_options *o, uint32_t seq, int64_t unix_ms,
                struct wire_random *r, uint8_t *out)
{
	memcpy(out, q->bytes, q->length);
	if (q->seq_at)
		stamp_seq(out + q->seq_at, seq);
	wire_key(out + q->key_at, unix_ms, r);
	stamp_place(out + q->lat_at, out + q->lon_at, o, r);
	stamp_hex(out + q->text_at, TEXT_DIGITS, wire_random(r));
	if (q->reporter_at)
		stamp_hex(out + q->reporter_at, REPORTER_DIGITS - 1, wire_random(r));
}
