#include "replay_classes.h"

#include <stddef.h>
#include <string.h>

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* The first that fits counts. A lamp, a wreck and a dead tree stand there until somebody comes: weeks. What endangers
 * people is reported from all sides within hours, and nobody reads the number of a house. Scrawls are many on one wall.
 * Holes, trees and signs stand in rows, so only the same one told at once by another hand is the same. What a household
 * orders or suffers is its own: the same only when the same door says it again within minutes. */
static const struct replay_class classes[] = {
	{ "lamp", "public", 60, 720, 150, 720, 1, WORDS("light", "lamp"), NULL },
	{ "danger", "public", 100, 36, 200, 72, 0,
	  WORDS("emergenc", "knock down", "main break", "flood", "fallen", "collaps", "leak", "unsafe"), NULL },
	{ "household", "own", 10, 0.25, 30, 168, 0,
	  WORDS("living condition", "residential", "rental", "heat", "bed bug", "mice", "utilities", "metering",
	        "occupan", "dampness", "plumbing", "electrical", "ventilat", "monoxide", "overcrowd", "rooming",
	        "household", "tenant", "landlord", "permit", "inspection", "homeowner", "zoning"),
	  WORDS("housing", "building", "health") },
	{ "errand", "own", 10, 0.25, 30, 168, 0,
	  WORDS("schedul", "appointment", "pickup", "cart", "sticker request", "missed", "delivery", "assistance",
	        "comment", "inquiry", "notification", "utility call", "complaint"),
	  NULL },
	{ "scrawl", "public", 20, 336, 100, 720, 0, WORDS("graffiti", "sticker", "poster", "advertis"), NULL },
	{ "animal", "public", 30, 12, 100, 48, 0, WORDS("dead animal"), NULL },
	{ "vehicle", "several", 60, 336, 150, 720, 0, WORDS("vehicle", "parking", "bicycle", "scooter"), NULL },
	{ "in a row", "several", 15, 1, 60, 720, 0,
	  WORDS("tree", "sign", "sidewalk", "pothole", "road", "street", "highway", "pavement", "hydrant", "marking",
	        "meter"),
	  NULL },
	{ "other", "public", 20, 2, 60, 168, 0, WORDS(""), NULL },
};

static _Bool holds_one(const char *text, const char *const *words)
{
	for (; words && *words; words++)
		if (strcasestr(text, *words))
			return 1;
	return 0;
}

static const struct replay_class *by_name(const char *name)
{
	const struct replay_class *k = classes;

	while (!holds_one(name, k->words))
		k++;
	return k;
}

const struct replay_class *replay_class_of(const char *category, const char *subcategory)
{
	const struct replay_class *last = &classes[sizeof classes / sizeof classes[0] - 1];
	const struct replay_class *k;

	for (k = classes; k < last; k++)
		if (holds_one(category, k->homes))
			return k;
	k = by_name(subcategory);
	return k != last ? k : by_name(category);
}
