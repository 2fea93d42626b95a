/* place: distances, and the way back from the maps' shifted coordinates. */
#include "workflow/place.h"

#include <math.h>

#define DEGREE_METRES 111195.0 /* of latitude, mean earth radius 6,371.0 km */
#define RADIAN (M_PI / 180.0)

int64_t place_pack(int32_t lat_e7, int32_t lon_e7)
{
	return (int64_t)((uint64_t)(uint32_t)lat_e7 << 32 | (uint32_t)lon_e7);
}

void place_unpack(int64_t packed, int32_t *lat_e7, int32_t *lon_e7)
{
	*lat_e7 = (int32_t)((uint64_t)packed >> 32);
	*lon_e7 = (int32_t)(uint32_t)packed;
}

double place_metres(int32_t lat1_e7, int32_t lon1_e7, int32_t lat2_e7, int32_t lon2_e7)
{
	double mid = ((double)lat1_e7 + lat2_e7) / 2e7 * RADIAN;
	double north = ((double)lat1_e7 - lat2_e7) / 1e7 * DEGREE_METRES;
	double east = ((double)lon1_e7 - lon2_e7) / 1e7 * DEGREE_METRES * cos(mid);
	return sqrt(north * north + east * east);
}

/* The published GCJ-02 offset: Krasovsky 1940 ellipsoid and a fixed sum of sines. */
#define KRASOVSKY_A 6378245.0
#define KRASOVSKY_E2 0.00669342162296594323

static double gcj_wave(double x)
{
	return (20.0 * sin(6.0 * x * M_PI) + 20.0 * sin(2.0 * x * M_PI)) * 2.0 / 3.0;
}

static double gcj_north(double x, double y)
{
	double d = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(fabs(x)) + gcj_wave(x);
	d += (20.0 * sin(y * M_PI) + 40.0 * sin(y / 3.0 * M_PI)) * 2.0 / 3.0;
	return d + (160.0 * sin(y / 12.0 * M_PI) + 320.0 * sin(y * M_PI / 30.0)) * 2.0 / 3.0;
}

static double gcj_east(double x, double y)
{
	double d = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(fabs(x)) + gcj_wave(x);
	d += (20.0 * sin(x * M_PI) + 40.0 * sin(x / 3.0 * M_PI)) * 2.0 / 3.0;
	return d + (150.0 * sin(x / 12.0 * M_PI) + 300.0 * sin(x / 30.0 * M_PI)) * 2.0 / 3.0;
}

static void gcj_offset(double lat, double lon, double *dlat, double *dlon)
{
	double s = sin(lat * RADIAN);
	double magic = 1.0 - KRASOVSKY_E2 * s * s;
	double root = sqrt(magic);
	*dlat = gcj_north(lon - 105.0, lat - 35.0) * 180.0 /
	        (KRASOVSKY_A * (1.0 - KRASOVSKY_E2) / (magic * root) * M_PI);
	*dlon = gcj_east(lon - 105.0, lat - 35.0) * 180.0 / (KRASOVSKY_A / root * cos(lat * RADIAN) * M_PI);
}

void place_gcj02_to_wgs84(double *lat, double *lon)
{
	if (*lat < 0.8293 || *lat > 55.8271 || *lon < 72.004 || *lon > 137.8347)
		return;
	double wlat = *lat, wlon = *lon;
	for (int i = 0; i < 8; i++) {
		double dlat, dlon;
		gcj_offset(wlat, wlon, &dlat, &dlon);
		wlat = *lat - dlat;
		wlon = *lon - dlon;
	}
	*lat = wlat;
	*lon = wlon;
}
