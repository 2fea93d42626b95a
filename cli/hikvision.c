/* hikvision: EventNotificationAlert messages, alone in a file or as the parts of the multipart stream that a camera's
 * alertStream sends. A message is what stands between its own tags, so boundaries, headers and pictures are passed over.
 * What comes before the first tag, a document type among it, is never given to the parser: there are no entities. */
#include <ctype.h>
#include <expat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/must.h"
#include "base/text.h"
#include "camera_post.h"

#define ROOT_OPEN "<EventNotificationAlert"
#define ROOT_CLOSE "</EventNotificationAlert>"
#define FIELD_SIZE 200

enum field {
	MAC,
	IP,
	SERIAL,
	CHANNEL_NAME,
	CHANNEL_ID,
	DATE_TIME,
	POST_COUNT,
	EVENT_TYPE,
	EVENT_STATE,
	RELATED,
	TARGET,
	REGION,
	INPUT_PORT,
	FIELDS
};

static const char *const elements[FIELDS] = {
	[MAC] = "macAddress",
	[IP] = "ipAddress",
	[SERIAL] = "serialNumber",
	[CHANNEL_NAME] = "channelName",
	[CHANNEL_ID] = "channelID",
	[DATE_TIME] = "dateTime",
	[POST_COUNT] = "activePostCount",
	[EVENT_TYPE] = "eventType",
	[EVENT_STATE] = "eventState",
	[RELATED] = "relationEvent",
	[TARGET] = "detectionTarget",
	[REGION] = "regionID",
	[INPUT_PORT] = "inputIOPortID",
};

struct hikvision {
	const struct post_sink *sink;
	char *bytes;
	size_t length;
	_Bool skipping; /* a message that is too long, until its end */
};

/* ---- one message ---- */

struct message {
	XML_Parser parser;
	int depth;
	int open; /* the field whose text is being read, FIELDS: none */
	size_t lengths[FIELDS];
	char fields[FIELDS][FIELD_SIZE];
};

static void XMLCALL on_start(void *ctx, const XML_Char *name, const XML_Char **attributes)
{
	struct message *m = ctx;

	(void)attributes;
	if (++m->depth > POST_DEPTH_MOST)
		(void)XML_StopParser(m->parser, XML_FALSE);
	m->open = FIELDS;
	/* The first of each counts: a list names its nearest field first. */
	for (int i = 0; i < FIELDS; i++)
		if (m->lengths[i] == 0 && strcmp(elements[i], name) == 0)
			m->open = i;
}

static void XMLCALL on_text(void *ctx, const XML_Char *text, int length)
{
	struct message *m = ctx;

	if (m->open == FIELDS)
		return;

	size_t *used = &m->lengths[m->open];

	for (int i = 0; i < length && *used < FIELD_SIZE - 1; i++)
		if (*used > 0 || !isspace((unsigned char)text[i]))
			m->fields[m->open][(*used)++] = text[i];
}

static void XMLCALL on_end(void *ctx, const XML_Char *name)
{
	struct message *m = ctx;

	(void)name;
	m->depth--;
	m->open = FIELDS;
}

/* Trailing white space goes; what is no line of text is as if it were not there. */
static void tidy(struct message *m)
{
	for (int i = 0; i < FIELDS; i++) {
		char *text = m->fields[i];
		size_t length = m->lengths[i];

		while (length > 0 && isspace((unsigned char)text[length - 1]))
			length--;
		text[length] = '\0';
		if (!text_is(TEXT_LINE, (const uint8_t *)text, length))
			text[0] = '\0';
	}
}

static void name_device(const struct message *m, struct camera_post *p)
{
	static const enum field devices[] = { MAC, SERIAL, IP };
	const char *channel = m->fields[CHANNEL_ID];
	char name[2 * FIELD_SIZE + 2];

	for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++) {
		const char *device = m->fields[devices[i]];

		snprintf(name, sizeof name, "%s/%s", device, channel);
		if (device[0] && channel[0])
			post_name(p, 1, name);
		post_name(p, 0, device);
	}
	post_name(p, 1, m->fields[CHANNEL_NAME]);
}

/* A "duration" only says that another event goes on. */
static void name_label(const struct message *m, struct camera_post *p)
{
	_Bool goes_on = strcmp(m->fields[EVENT_TYPE], "duration") == 0 && m->fields[RELATED][0];
	const char *type = m->fields[goes_on ? RELATED : EVENT_TYPE];
	const char *detail = m->fields[TARGET][0] ? m->fields[TARGET] : m->fields[INPUT_PORT];
	char label[2 * FIELD_SIZE + 2];

	snprintf(label, sizeof label, "%s/%s", type, detail);
	if (type[0] && detail[0])
		post_label(p, label);
	post_label(p, type);
}

static void take_message(const struct hikvision *h, const struct message *m)
{
	struct camera_post p = { 0 };
	int64_t count;

	name_device(m, &p);
	name_label(m, &p);
	if (p.label_count == 0 || p.name_count == 0) {
		h->sink->wrong(h->sink->ctx, "an alert without an eventType, or without a device");
		return;
	}
	p.ended = strcmp(m->fields[EVENT_STATE], "inactive") == 0;
	if (strlen(m->fields[CHANNEL_ID]) < sizeof p.channel)
		snprintf(p.channel, sizeof p.channel, "%.*s", POST_LABEL_SIZE - 1, m->fields[CHANNEL_ID]);
	if (!clock_parse(m->fields[DATE_TIME], &p.seen_ms))
		p.seen_ms = 0;
	if (text_to_int(m->fields[POST_COUNT], 0, 1000000000, &count))
		p.posts = (uint32_t)count;
	snprintf(p.identity, sizeof p.identity, "hikvision\n%.60s\n%.40s\n%.20s\n%.60s\n%.60s", m->fields[EVENT_TYPE],
	         m->fields[DATE_TIME], m->fields[POST_COUNT], m->fields[EVENT_STATE], m->fields[REGION]);
	h->sink->take(h->sink->ctx, &p);
}

static void parse(const struct hikvision *h, const char *bytes, size_t length)
{
	struct message m = { .parser = XML_ParserCreate("UTF-8"), .open = FIELDS };
	char sentence[200];

	must(m.parser != NULL);
	XML_SetUserData(m.parser, &m);
	XML_SetElementHandler(m.parser, on_start, on_end);
	XML_SetCharacterDataHandler(m.parser, on_text);
	if (XML_Parse(m.parser, bytes, (int)length, 1) == XML_STATUS_OK) {
		tidy(&m);
		take_message(h, &m);
	} else {
		snprintf(sentence, sizeof sentence, "an EventNotificationAlert that is no XML: line %lu: %s",
		         XML_GetCurrentLineNumber(m.parser), XML_ErrorString(XML_GetErrorCode(m.parser)));
		h->sink->wrong(h->sink->ctx, sentence);
	}
	XML_ParserFree(m.parser);
}

/* ---- finding messages ---- */

static void drop(struct hikvision *h, size_t count)
{
	h->length -= count;
	memmove(h->bytes, h->bytes + count, h->length);
}

/* All but what may be the beginning of a tag. */
static void drop_but(struct hikvision *h, size_t keep)
{
	if (h->length > keep)
		drop(h, h->length - keep);
}

/* false: more bytes are needed. */
static _Bool find_message(struct hikvision *h)
{
	char *open = h->skipping ? h->bytes : memmem(h->bytes, h->length, ROOT_OPEN, strlen(ROOT_OPEN));

	if (open == NULL) {
		drop_but(h, strlen(ROOT_OPEN) - 1);
		return 0;
	}
	drop(h, (size_t)(open - h->bytes));

	const char *close = memmem(h->bytes, h->length, ROOT_CLOSE, strlen(ROOT_CLOSE));

	if (close != NULL) {
		size_t length = (size_t)(close - h->bytes) + strlen(ROOT_CLOSE);

		if (!h->skipping)
			parse(h, h->bytes, length);
		h->skipping = 0;
		drop(h, length);
		return 1;
	}
	if (h->length < POST_BYTES_MOST)
		return 0;
	if (!h->skipping)
		h->sink->wrong(h->sink->ctx, "an EventNotificationAlert of more than 128 KiB");
	h->skipping = 1;
	drop_but(h, strlen(ROOT_CLOSE) - 1);
	return 0;
}

static void hikvision_feed(void *a, const char *bytes, size_t length)
{
	struct hikvision *h = a;

	while (length > 0) {
		size_t room = POST_BYTES_MOST - h->length, part = length < room ? length : room;

		memcpy(h->bytes + h->length, bytes, part);
		h->length += part;
		bytes += part;
		length -= part;
		while (find_message(h))
			;
	}
}

static void *hikvision_open(const struct post_sink *sink)
{
	struct hikvision *h = must_calloc(1, sizeof *h);

	h->sink = sink;
	h->bytes = must_calloc(1, POST_BYTES_MOST);
	return h;
}

static void hikvision_close(void *a)
{
	struct hikvision *h = a;

	if (h->length >= strlen(ROOT_OPEN) && !h->skipping)
		h->sink->wrong(h->sink->ctx, "an EventNotificationAlert without its end");
	free(h->bytes);
	free(h);
}

const struct adapter hikvision_adapter = { "hikvision", hikvision_open, hikvision_feed, hikvision_close };
