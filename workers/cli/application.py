"""What an application says, as options of commands."""

from __future__ import annotations

from typing import Annotated, Any

import typer

Birthday = Annotated[str | None, typer.Option(help="A person's day of birth, as 1980-01-31.")]
Volume = Annotated[int | None, typer.Option(help="Expected turnover a month, in whole euros.")]
Owners = Annotated[
    list[str] | None,
    typer.Option(
        "--owner",
        help='Of a company, as "Ada Beispiel;DE;1980-01-31;60": name, country, day of birth, share '
        "in percent; repeatable.",
    ),
]
Signatory = Annotated[
    str | None,
    typer.Option(help='Who signs for a company, as "Ada Beispiel;DE;1980-01-31".'),
]


def told(
    *,
    born: str | None,
    monthly_volume: int | None,
    owner: list[str] | None,
    signatory: str | None,
) -> dict[str, Any]:
    """The fields that these options tell; an empty text takes one out. Any: of every type."""
    fields: dict[str, Any] = {}
    if born is not None:
        fields["date_of_birth"] = born or None
    if monthly_volume is not None:
        fields["monthly_volume"] = monthly_volume
    if owner is not None:
        fields["owners"] = [_owner(one) for one in owner if one]
    if signatory is not None:
        fields["signatory"] = _signatory(signatory) if signatory else None
    return fields


def tax_id(text: str) -> dict[str, str]:
    """Type and number. Raises BadParameter."""
    type_, colon, value = text.partition(":")
    if not colon:
        raise typer.BadParameter(
            "write type and number, as eu_vat:DE123456789", param_hint="--tax-id"
        )
    return {"type": type_, "value": value}


def _owner(text: str) -> dict[str, Any]:
    person, _, share = text.rpartition(";")
    try:
        return {**_signatory(person), "share_percent": float(share)}
    except (typer.BadParameter, ValueError):
        raise typer.BadParameter(
            'write name, country, day of birth and percent, as "Ada Beispiel;DE;1980-01-31;60"',
            param_hint="--owner",
        ) from None


def _signatory(text: str) -> dict[str, Any]:
    parts = [part.strip() for part in text.split(";")]
    if len(parts) != 3:
        raise typer.BadParameter(
            'write name, country and day of birth, as "Ada Beispiel;DE;1980-01-31"',
            param_hint="--signatory",
        )
    name, country, born = parts
    return {"name": name, "country": country, "date_of_birth": born}
