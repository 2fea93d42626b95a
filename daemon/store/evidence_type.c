/* What a file is, by its first bytes. The few types that phones and cameras make; a library that knows hundreds would
 * bring parsers into the daemon that nobody needs here. Offsets and values: JFIF/Exif (SOI), PNG 1.2 ch. 3.1, GIF89a,
 * RIFF container of WebP, ISO/IEC 14496-12 (ftyp) with the brands of HEIF (23008-12) and MP4. */
#include <string.h>

#include "store/evidence.h"

struct magic {
	size_t at, length;
	const char *bytes;
	size_t brand_at; /* 0: none */
	const char *brand;
	const char *type;
	enum evidence_kind kind;
};

#define FTYP(brand_, type_, kind_)                                                                                     \
	{                                                                                                              \
		4, 4, "ftyp", 8, brand_, type_, kind_                                                                  \
	}

static const struct magic magics[] = {
	{ 0, 3, "\xff\xd8\xff", 0, NULL, "image/jpeg", EVIDENCE_IMAGE },
	{ 0, 8, "\x89PNG\r\n\x1a\n", 0, NULL, "image/png", EVIDENCE_IMAGE },
	{ 0, 6, "GIF87a", 0, NULL, "image/gif", EVIDENCE_IMAGE },
	{ 0, 6, "GIF89a", 0, NULL, "image/gif", EVIDENCE_IMAGE },
	{ 0, 4, "RIFF", 8, "WEBP", "image/webp", EVIDENCE_IMAGE },
	FTYP("heic", "image/heic", EVIDENCE_IMAGE),
	FTYP("heix", "image/heic", EVIDENCE_IMAGE),
	FTYP("mif1", "image/heif", EVIDENCE_IMAGE),
	FTYP("isom", "video/mp4", EVIDENCE_CLIP),
	FTYP("iso2", "video/mp4", EVIDENCE_CLIP),
	FTYP("iso4", "video/mp4", EVIDENCE_CLIP),
	FTYP("iso5", "video/mp4", EVIDENCE_CLIP),
	FTYP("iso6", "video/mp4", EVIDENCE_CLIP),
	FTYP("mp41", "video/mp4", EVIDENCE_CLIP),
	FTYP("mp42", "video/mp4", EVIDENCE_CLIP),
	FTYP("avc1", "video/mp4", EVIDENCE_CLIP),
	FTYP("M4V ", "video/mp4", EVIDENCE_CLIP),
	FTYP("3gp4", "video/3gpp", EVIDENCE_CLIP),
	FTYP("3gp5", "video/3gpp", EVIDENCE_CLIP),
	FTYP("qt  ", "video/quicktime", EVIDENCE_CLIP),
};

static _Bool holds(const uint8_t *head, size_t length, size_t at, const char *bytes, size_t count)
{
	return at + count <= length && memcmp(head + at, bytes, count) == 0;
}

const char *evidence_type(const uint8_t *head, size_t length, enum evidence_kind *kind)
{
	for (size_t i = 0; i < sizeof magics / sizeof *magics; i++) {
		const struct magic *m = &magics[i];

		if (!holds(head, length, m->at, m->bytes, m->length) ||
		    (m->brand && !holds(head, length, m->brand_at, m->brand, 4)))
			continue;
		*kind = m->kind;
		return m->type;
	}
	return NULL;
}
