"""Properties of HubSpot contacts: what there is, and what values they take.

Checked against
- HubSpot's own public clients: the form of a definition (name, label, type, fieldType, groupName, options,
  hasUniqueValue, modificationMetadata)
- public clients' tests and logs: codes and words of values that are not taken (INVALID_EMAIL, PROPERTY_DOESNT_EXIST,
  INVALID_OPTION, READ_ONLY_VALUE), 409 for a property that exists
"""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import Response

from tests.fakes.hubspot import error
from tests.fakes.server import Refused, answer, sent

STAGES = ("subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer", "evangelist")
STAGES += ("other",)
KINDS = {
    "string": ("text", "textarea", "phonenumber", "html", "file"), "number": ("number",), "date": ("date",),
    "datetime": ("date",), "enumeration": ("select", "radio", "checkbox", "booleancheckbox"),
    "bool": ("booleancheckbox",),
}  # fmt: skip
MAX_UNIQUE = 10
NAME = re.compile(r"[a-z][a-z0-9_]*")
ADDRESS = re.compile(r"[^\s@<>(),;:\"\[\]]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}")


def definition(name: str, kind: str = "string", field: str = "text", **more: object) -> dict:
    """A property as HubSpot shows it; `options` are the values of an enumeration."""
    options = more.pop("options", ())
    return {
        "name": name, "label": name, "type": kind, "fieldType": field, "groupName": "contactinformation",
        "description": "", "options": [_option(one, place) for place, one in enumerate(options)],
        "hasUniqueValue": False, "calculated": False, "externalOptions": False, "hidden": False, "formField": True,
        "archived": False,
        "modificationMetadata": {"archivable": True, "readOnlyDefinition": False, "readOnlyValue": False},
    } | more  # fmt: skip


def standard() -> dict[str, dict]:
    """The properties that every portal has, of which some are read only."""
    texts = ("firstname", "lastname", "phone", "city", "country", "zip", "address", "date_of_birth", "hs_language")
    fixed = {"modificationMetadata": {"archivable": False, "readOnlyDefinition": True, "readOnlyValue": True}}
    return {
        "email": definition("email", hasUniqueValue=True),
        **{name: definition(name) for name in texts},
        "gender": definition("gender"),
        "lifecyclestage": definition("lifecyclestage", "enumeration", "radio", options=STAGES),
        **{name: definition(name, "datetime", "date", **fixed) for name in ("createdate", "lastmodifieddate")},
        "hs_object_id": definition("hs_object_id", "number", "number", **fixed),
        "hs_email_optout": definition("hs_email_optout", "bool", "booleancheckbox", **fixed),
    }


def wrong_value(name: str, value: object, defined: dict[str, dict]) -> tuple[str, str] | None:
    """Code and words if a property does not take a value; None if it does. An empty text clears a property."""
    if name not in defined:
        return "PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist'
    about, text = defined[name], "" if value is None else str(value)
    if about["modificationMetadata"]["readOnlyValue"]:
        return "READ_ONLY_VALUE", f'"{name}" is a read only property; its value cannot be set.'
    if text == "":
        return None
    if name == "email" and not ADDRESS.fullmatch(text):
        return "INVALID_EMAIL", f"Email address {text} is invalid"
    options = [one["value"] for one in about["options"]]
    if about["type"] == "enumeration" and any(one not in options for one in text.split(";")):
        return "INVALID_OPTION", f"{text} was not one of the allowed options: {options}"
    if about["type"] == "number" and not re.fullmatch(r"-?\d+(\.\d+)?", text):
        return "INVALID_DOUBLE", f"{text} was not a valid number."
    if about["type"] == "date" and not re.fullmatch(r"\d{4}-\d\d-\d\d|-?\d+", text):
        return "INVALID_DATE", f"{text} was not a valid date."
    if about["type"] == "bool" and text not in ("true", "false"):
        return "INVALID_OPTION", f"{text} was not one of the allowed options: ['true', 'false']"
    return None


class Properties:
    """The part of a HubSpot portal that defines properties."""

    def add_property(self, name: str, kind: str = "string", field: str = "text", **more: object) -> dict:
        """A property made by a person."""
        self.properties[name] = definition(name, kind, field, **more)
        return self.properties[name]

    def drop_property(self, name: str) -> None:
        """Somebody deletes a property, and with it what it held."""
        del self.properties[name]
        self._indexes.pop(name, None)
        for contact in self.contacts.values():
            contact["properties"].pop(name, None)

    def _get_properties(self, request: Request) -> Response:
        return answer({"results": list(self.properties.values())})

    def _get_property(self, request: Request) -> Response:
        name = request.path_params["property"]
        if name not in self.properties:
            words = f"The property named {name} for object type 0-1 does not exist."
            return error(404, words, category="OBJECT_NOT_FOUND")
        return answer(self.properties[name])

    def _post_property(self, request: Request) -> Response:
        given = sent(request)
        missing = [name for name in ("name", "label", "type", "fieldType", "groupName") if not given.get(name)]
        if missing:
            return error(400, f"Some required fields were not set: [{', '.join(missing)}]", category="VALIDATION_ERROR")
        name, kind = given["name"], given["type"]
        if not NAME.fullmatch(name):
            words = "Property names must start with a letter, and have lower-case letters, digits and _ only."
            return error(400, words, category="VALIDATION_ERROR")
        if name in self.properties:
            words = f"A property named '{name}' already exists."
            return error(409, words, category="OBJECT_ALREADY_EXISTS", subCategory="Properties.PROPERTY_EXISTS")
        if given["fieldType"] not in KINDS.get(kind, ()):
            words = f"Field type {given['fieldType']} does not fit type {kind}."
            return error(400, words, category="VALIDATION_ERROR")
        if given.get("hasUniqueValue") and sum(one["hasUniqueValue"] for one in self.properties.values()) > MAX_UNIQUE:
            return error(400, f"An object has at most {MAX_UNIQUE} unique properties.", category="VALIDATION_ERROR")
        about = definition(name, kind, given["fieldType"]) | given
        self.properties[name] = about
        self.effects.note("property_created", "", name)
        return answer(about, 201)

    def _is_unique(self, name: str) -> bool:
        return self.properties.get(name, {}).get("hasUniqueValue", False)

    def _unique(self, name: str) -> str:
        """A property by which contacts are told apart. Raises `Refused` for any other."""
        if not self._is_unique(name):
            words = f"Property {name} cannot be used as an idProperty: it does not exist, or is not unique."
            raise Refused(error(400, words, category="VALIDATION_ERROR"))
        return name


def _option(value: str, place: int) -> dict:
    return {"label": value.title(), "value": value, "displayOrder": place, "hidden": False}
