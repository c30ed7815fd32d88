"""The pipeline's numbers, computed from facility records by nothing of ward's."""

import calendar
import collections
import datetime
import json


def records(text):
    """Every record of an object: one, or one a line."""
    decoder, found, at = json.JSONDecoder(), [], 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        record, at = decoder.raw_decode(text, at)
        found.append(record)
    return found


def months_later(day, months):
    """Calendar months, clipped at the month's end."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    month += 1
    return day.replace(year=year, month=month, day=min(day.day, calendar.monthrange(year, month)[1]))


def date(text):
    try:
        return datetime.date.fromisoformat(text)
    except (TypeError, ValueError):
        return None


def metrics(facilities):
    """Stage 1: id, name, employees, number of services, expiry of the first accreditation."""
    rows = []
    for f in facilities:
        accreditations = f.get("accreditations") or []
        first = accreditations[0].get("expiry_date") if accreditations else None
        rows.append((f["facility_id"], f["facility_name"], str(f["employee_count"]), str(len(f["services"])), first))
    return sorted(rows)


def expiring(facilities, as_of, months=6):
    """Stage 2: ids of facilities with any accreditation from as-of to as-of plus the window, ends included."""
    end = months_later(as_of, months)
    return sorted(
        f["facility_id"]
        for f in facilities
        if any(d and as_of <= d <= end for d in (date(a.get("expiry_date")) for a in f["accreditations"]))
    )


def per_state(facilities):
    """Stage 3: facilities per state."""
    return dict(collections.Counter(f["state"] for f in facilities))


def tiers(facilities, as_of):
    """Facilities per tier: the worst of their accreditations."""
    order = ["lapsed", "critical", "high", "unknown", "medium", "clear"]
    counts = collections.Counter()
    for f in facilities:
        found = []
        for a in f["accreditations"]:
            day = date(a.get("expiry_date"))
            if day is None:
                found.append("unknown")
                continue
            left = (day - as_of).days
            found.append("lapsed" if left < 0 else "critical" if left <= 30 else "high" if left <= 90
                         else "medium" if left <= 180 else "clear")
        counts[min(found or ["unknown"], key=order.index)] += 1
    return dict(counts)
