#include "intake/check.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "jurisdiction/policy.h"
#include "workflow/case_number.h"
#include "workflow/domain.h"
#include "workflow/place.h"

#define E7 1e7

static const char *const kind_sentence[] = {
	[TEXT_LINE] = "UTF-8 on one line without control characters",
	[TEXT_PROSE] = "UTF-8 without control characters other than newline and tab",
	[TEXT_ID] = "letters, digits and - _ . / : @ only",
};

/* Most texts are plain ASCII, for which one pass without branches says as much as decoding each character. */
static _Bool is_plain(const uint8_t *bytes, size_t length)
{
	uint8_t strange = 0;

	for (size_t i = 0; i < length; i++)
		strange |= (uint8_t)(bytes[i] - 0x20) > 0x7e - 0x20;
	return !strange;
}

static _Bool is_text(enum text_kind kind, const ProtobufCBinaryData *bytes)
{
	return (kind != TEXT_ID && is_plain(bytes->data, bytes->len)) || text_is(kind, bytes->data, bytes->len);
}

_Bool check_text(const ProtobufCBinaryData *bytes, const struct text_rule *rule, struct refusal *why)
{
	if (bytes->len > rule->most)
		return refuse(why, REFUSAL_TOO_LARGE, rule->size_rule,
		              "The field %s has %zu bytes; at most %zu are taken.", rule->name, bytes->len, rule->most);
	if (!is_text(rule->kind, bytes))
		return refuse(why, REFUSAL_INVALID, rule->form_rule, "The field %s must be %s.", rule->name,
		              kind_sentence[rule->kind]);
	return 1;
}

_Bool check_copy(const ProtobufCBinaryData *bytes, const struct text_rule *rule, char *out, size_t size,
                 struct refusal *why)
{
	out[0] = '\0';
	if (!check_text(bytes, rule, why))
		return 0;
	must(bytes->len < size);
	if (bytes->len > 0)
		memcpy(out, bytes->data, bytes->len);
	out[bytes->len] = '\0';
	return 1;
}

/* A code is short ASCII: anything else is no code, and nothing of it is repeated in the answer. */
static _Bool copy_code(const ProtobufCBinaryData *bytes, char *out, size_t size)
{
	if (bytes->len >= size || !text_is(TEXT_ID, bytes->data, bytes->len))
		return 0;
	if (bytes->len > 0)
		memcpy(out, bytes->data, bytes->len);
	out[bytes->len] = '\0';
	return 1;
}

_Bool check_category(const ProtobufCBinaryData *bytes, _Bool class_too, int32_t *out, struct refusal *why)
{
	char code[CATEGORY_TEXT_SIZE + 2];

	*out = 0;
	if (bytes->len == 0)
		return 1;
	if (copy_code(bytes, code, CATEGORY_TEXT_SIZE)) {
		if (class_too && strlen(code) == 3)
			memcpy(code + 3, "00", 3);
		*out = category_from_text(code);
	}
	if (*out == 0)
		return refuse(why, REFUSAL_INVALID, "category-is-a-code",
		              "A category is E or C and four digits, such as E0110%s.",
		              class_too ? ", or two digits for a class, such as E01" : "");
	return 1;
}

_Bool check_area(const ProtobufCBinaryData *bytes, int64_t *out, struct refusal *why)
{
	char code[16];

	*out = 0;
	if (bytes->len == 0)
		return 1;
	if (copy_code(bytes, code, sizeof code))
		*out = area_code_from_text(code);
	if (*out == 0)
		return refuse(why, REFUSAL_INVALID, "area-is-a-code", "An area has 12 digits and a grid 15.");
	return 1;
}

_Bool check_case_number(const ProtobufCBinaryData *bytes, _Bool may_be_empty, int64_t *out, struct refusal *why)
{
	char number[CASE_NUMBER_SIZE];

	*out = 0;
	if (bytes->len == 0 && may_be_empty)
		return 1;
	if (copy_code(bytes, number, sizeof number))
		*out = case_number_id(number);
	if (*out == 0)
		return refuse(why, REFUSAL_INVALID, "case-number-is-one",
		              "This is no case number; one looks like E01102026112100042.");
	return 1;
}

_Bool check_key(const ProtobufCBinaryData *bytes, _Bool may_be_empty, struct uuid *out, struct refusal *why)
{
	*out = (struct uuid){ { 0 } };
	if (bytes->len == 0 && may_be_empty)
		return 1;
	if (bytes->len == UUID_SIZE)
		memcpy(out->bytes, bytes->data, UUID_SIZE);
	/* All zero means "no key" further in, so as a key it would make every resend a new report. */
	if (bytes->len != UUID_SIZE || uuid_is_zero(out))
		return refuse(why, REFUSAL_INVALID, "key-is-16-bytes",
		              "The key must be 16 bytes, a UUIDv7 made once and sent again with every repetition; it "
		              "has %zu.",
		              bytes->len);
	return 1;
}

_Bool check_place(const Gridloop__V1__Place *place, int32_t *lat_e7, int32_t *lon_e7, struct refusal *why)
{
	*lat_e7 = *lon_e7 = PLACE_NONE;
	if (!place)
		return 1;
	double lat = place->lat, lon = place->lon;

	if (!isfinite(lat) || !isfinite(lon) || fabs(lat) > 90 || fabs(lon) > 180)
		return refuse(why, REFUSAL_INVALID, "place-is-on-earth",
		              "Latitude must be within -90 and 90 degrees, longitude within -180 and 180.");
	if (place->datum != GRIDLOOP__V1__DATUM__WGS84 && place->datum != GRIDLOOP__V1__DATUM__GCJ02)
		return refuse(why, REFUSAL_INVALID, "datum-is-known", "The datum must be 0 (WGS-84) or 1 (GCJ-02).");
	if (lat == 0 && lon == 0)
		return 1;
	if (place->datum == GRIDLOOP__V1__DATUM__GCJ02)
		place_gcj02_to_wgs84(&lat, &lon);
	*lat_e7 = (int32_t)lround(lat * E7);
	*lon_e7 = (int32_t)lround(lon * E7);
	return 1;
}

_Bool check_past(int64_t at_ms, int64_t now_ms, const char *rule, struct refusal *why)
{
	if (at_ms == 0)
		return 1;
	if (at_ms < CHECK_EARLIEST_MS)
		return refuse(why, REFUSAL_INVALID, rule,
		              "A time is in milliseconds since 1970 and not before the year 2000; leave it 0 for now.");
	if (at_ms - CHECK_FUTURE_MOST_MS > now_ms)
		return refuse(why, REFUSAL_INVALID, rule,
		              "The time is more than 48 hours ahead; set the sender's clock.");
	return 1;
}

_Bool check_range(int64_t value, int64_t least, int64_t most, const char *rule, struct refusal *why)
{
	if (value >= least && value <= most)
		return 1;
	return refuse(why, REFUSAL_INVALID, rule, "The value %" PRId64 " is not within %" PRId64 " and %" PRId64 ".",
	              value, least, most);
}
