"""Marketplaces: whose days count, in which currency Amazon pays, and where stock may lie."""

import tomllib
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

_TABLE = Path(__file__).parent / "policy" / "marketplaces.toml"


@dataclass(frozen=True, slots=True)
class Marketplace:
    """One of Amazon's stores. `zone` dates its time stamps; `policy` names the policy table that holds for it."""

    code: str
    zone: ZoneInfo
    currency: str
    policy: str

    def day_of(self, moment: datetime) -> date:
        """Return the calendar day that an aware moment has there; deadlines and approvals are such days."""
        return moment.astimezone(self.zone).date()


@cache
def marketplaces() -> dict[str, Marketplace]:
    """Return all known marketplaces by their two-letter code."""
    table = tomllib.loads(_TABLE.read_text())["marketplace"]
    return {
        code: Marketplace(code, ZoneInfo(row["zone"]), row["currency"], row["policy"]) for code, row in table.items()
    }


@cache
def customs_areas() -> dict[str, str]:
    """Return the customs area of each country that shares one with others; a country that is not named is its own."""
    areas: dict[str, list[str]] = tomllib.loads(_TABLE.read_text())["customs_area"]
    return {country: area for area, countries in areas.items() for country in countries}


@cache
def currency_countries() -> dict[str, frozenset[str]]:
    """Return the countries of each currency, where they are known."""
    table: dict[str, list[str]] = tomllib.loads(_TABLE.read_text())["currency_countries"]
    return {currency: frozenset(countries) for currency, countries in table.items()}
