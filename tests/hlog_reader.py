"""Reads an interval log with the Python implementation of HdrHistogram and prints what it holds, as JSON.

Usage: hlog_reader.py FILE
One object per tag: the number of samples, and the values at some percentiles over the whole log.
"""

import json
import sys

from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader

PERCENTILES = [50.0, 90.0, 99.0, 99.9, 100.0]
LONGEST = 3_600_000_000_000


def main(path):
    whole = {}
    seconds = {}
    reader = HistogramLogReader(path, HdrHistogram(1, LONGEST, 3))
    while True:
        interval = reader.get_next_interval_histogram()
        if interval is None:
            break
        tag = interval.get_tag()
        whole.setdefault(tag, HdrHistogram(1, LONGEST, 3)).add(interval)
        seconds[tag] = seconds.get(tag, 0) + 1
    tags = {
        tag: {
            "count": histogram.get_total_count(),
            "intervals": seconds[tag],
            "percentiles": {str(p): histogram.get_value_at_percentile(p) for p in PERCENTILES},
        }
        for tag, histogram in whole.items()
    }
    json.dump({"started": reader.get_start_time_sec(), "tags": tags}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
