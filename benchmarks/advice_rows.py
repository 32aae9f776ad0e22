"""Rows of the situations of ``advice.py``: made here, the same for a seed.

Each function gives rows of train, dev and test as the source ``jsonl`` reads them. Test has ten,
which nobody looks at: the runs end before it is opened.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Row = dict[str, Any]
TEST = 10

COLOURS = ("red", "blue", "green", "yellow", "black", "white")
CITIES = ("Oslo", "Lima", "Cairo", "Delhi", "Quito", "Perth")
THINGS = ("lamps", "chairs", "kettles", "pans", "rugs", "clocks", "shelves", "mirrors", "vases",
          "stools", "baskets", "trays", "blankets", "candles", "hooks", "boxes")  # fmt: skip
NAMES = ("Falk", "Moreau", "Tanaka", "Okoye", "Silva", "Novak", "Haddad", "Larsen", "Kowalski",
         "Rossi", "Jansen", "Petrov", "Mendez", "Achebe", "Lindqvist", "Brandt")  # fmt: skip
ORDERS = (
    "{name} wants {count} {colour} {things} in {city}.",
    "Please send {count} {colour} {things} to {city}, attention {name}.",
    "{count} {things} for {name} ({city}), all {colour}.",
    "For the shop in {city}: {things}, {colour}, {count} pieces, ordered by {name}.",
    "{name} called from {city} about {count} {things} in {colour}.",
    "New order, {city}. {name} takes {count} of the {colour} {things}.",
)

QUEUES: Mapping[str, Sequence[str]] = {
    "billing": ("I was charged twice for it", "the invoice shows a wrong amount",
                "my card was debited although I cancelled", "the receipt lacks the tax number",
                "the discount was not taken off the price", "I paid and the bill says unpaid",
                "please explain the fee on my statement", "the instalment was booked too early"),
    "delivery": ("the parcel has not come", "the courier left it at the wrong door",
                 "tracking has stood still for a week", "it was shipped to my old address",
                 "nobody rang and the van drove on", "the package is held at the depot",
                 "it should have arrived on Monday", "the driver could not find the house"),
    "returns": ("I want to send it back", "where is the label to return it",
                "it does not suit me and I would like my money back",
                "how long may I try it before I give it back",
                "I bought the wrong size, take it back",
                "please swap it for the smaller one", "the return was refused at the counter",
                "I changed my mind and want to hand it back"),
    "account": ("I cannot log in any more", "the reset mail for my password never comes",
                "please delete my profile", "my user name is taken by somebody else",
                "I want to change my e-mail address", "the app signs me out every hour",
                "two-step codes do not reach my phone", "my login was locked after three tries"),
    "repairs": ("it no longer switches on", "the screen flickers and goes black",
                "it makes a grinding noise", "a button broke off after a week",
                "the battery is empty within minutes", "water drips from underneath",
                "the hinge is cracked and needs fixing", "it overheats and stops"),
}  # fmt: skip
GOODS = ("kettle", "headset", "drill", "printer", "camera", "mixer", "heater", "monitor", "fan",
         "radio", "toaster", "speaker", "mower", "scale", "router", "tablet")  # fmt: skip
OPENINGS = ("Hello, {fault}.", "Good morning! {Fault}.", "{name} here: {fault}.",
            "Hi team, {fault}.", "Third time I write: {fault}.", "{Fault}, sadly.")  # fmt: skip
CLOSINGS = ("It is about the {good}, order {number}.", "({good}, bought in {month}.)",
            "Order {number}, a {good}.", "My {good} is from {month}.",
            "Article: {good}. Regards, {name}", "The {good} was a present for {name}.")  # fmt: skip
MONTHS = ("January", "March", "April", "June", "August", "October", "November")

KINDS: Mapping[str, str] = {
    "animal": """heron otter badger lizard salmon beetle camel donkey falcon gorilla hamster jackal
        koala leopard mole newt ostrich panther rabbit squid tiger viper walrus zebra moth crab eel
        goose lynx raven shark toad wasp whale yak bison cobra deer ferret goat hyena lobster mouse
        owl pigeon seal""",
    "plant": """oak birch willow tulip daisy fern moss cactus ivy maple cedar poplar orchid lily
        violet nettle clover thistle bamboo heather juniper larch magnolia oleander peony reed
        rosebush spruce sycamore yew aspen begonia bluebell buttercup dandelion elm foxglove
        geranium hawthorn hyacinth jasmine lavender lupin marigold primrose snowdrop""",
    "clothing": """shirt trousers jacket scarf glove sock skirt blouse sweater coat hat cap belt
        dress jeans shorts sandal boot slipper vest cardigan hoodie pyjamas apron tie waistcoat
        tunic kimono poncho robe shawl beret mitten raincoat leggings tracksuit underwear bra corset
        gown kilt overalls parka petticoat suit swimsuit""",
    "tool": """hammer saw chisel wrench pliers screwdriver drill axe shovel rake hoe spade file
        clamp crowbar mallet sickle scythe anvil trowel pickaxe lathe sander plane spanner tongs
        tweezers scissors jack winch pulley ladder wheelbarrow level ruler caliper hatchet jigsaw
        pitchfork plunger vice awl grinder stapler shears wedge""",
    "city": """Paris London Madrid Rome Berlin Vienna Tokyo Seoul Mumbai Bangkok Jakarta Manila
        Sydney Melbourne Toronto Montreal Chicago Boston Houston Seattle Denver Lisbon Athens Dublin
        Prague Warsaw Budapest Moscow Istanbul Baghdad Tehran Karachi Lahore Nairobi Lagos Accra
        Havana Bogota Santiago Caracas Milan Munich Hamburg Barcelona Shanghai Beijing""",
}

CAPITALS = """
Albania: Tirana; Algeria: Algiers; Angola: Luanda; Argentina: Buenos Aires; Armenia: Yerevan; Australia: Canberra;
Austria: Vienna; Azerbaijan: Baku; Bahrain: Manama; Bangladesh: Dhaka; Barbados: Bridgetown; Belarus: Minsk;
Belgium: Brussels; Belize: Belmopan; Bhutan: Thimphu; Bosnia: Sarajevo; Botswana: Gaborone; Brazil: Brasilia;
Bulgaria: Sofia; Cambodia: Phnom Penh; Cameroon: Yaounde; Canada: Ottawa; Chad: N'Djamena; Chile: Santiago;
China: Beijing; Colombia: Bogota; Croatia: Zagreb; Cuba: Havana; Cyprus: Nicosia; Denmark: Copenhagen;
Ecuador: Quito; Egypt: Cairo; Eritrea: Asmara; Estonia: Tallinn; Ethiopia: Addis Ababa; Fiji: Suva;
Finland: Helsinki; France: Paris; Gabon: Libreville; Gambia: Banjul; Georgia: Tbilisi; Germany: Berlin;
Ghana: Accra; Greece: Athens; Grenada: St George's; Guyana: Georgetown; Haiti: Port-au-Prince; Honduras: Tegucigalpa;
Hungary: Budapest; Iceland: Reykjavik; India: New Delhi; Iran: Tehran; Iraq: Baghdad; Ireland: Dublin;
Italy: Rome; Jamaica: Kingston; Japan: Tokyo; Jordan: Amman; Kenya: Nairobi; Kuwait: Kuwait City;
Kyrgyzstan: Bishkek; Laos: Vientiane; Latvia: Riga; Lebanon: Beirut; Lesotho: Maseru; Liberia: Monrovia;
Libya: Tripoli; Lithuania: Vilnius; Madagascar: Antananarivo; Malawi: Lilongwe; Malaysia: Kuala Lumpur; Mali: Bamako;
Malta: Valletta; Mauritania: Nouakchott; Mauritius: Port Louis; Mexico: Mexico City; Moldova: Chisinau;
Mongolia: Ulaanbaatar; Montenegro: Podgorica; Morocco: Rabat; Mozambique: Maputo; Namibia: Windhoek; Nepal: Kathmandu;
Netherlands: Amsterdam; New Zealand: Wellington; Nicaragua: Managua; Niger: Niamey; Nigeria: Abuja; Norway: Oslo;
Oman: Muscat; Pakistan: Islamabad; Panama: Panama City; Paraguay: Asuncion; Peru: Lima; Philippines: Manila;
Poland: Warsaw; Portugal: Lisbon; Qatar: Doha; Romania: Bucharest; Russia: Moscow; Rwanda: Kigali; Samoa: Apia;
Senegal: Dakar; Serbia: Belgrade; Sierra Leone: Freetown; Singapore: Singapore; Slovakia: Bratislava;
Slovenia: Ljubljana; Somalia: Mogadishu; South Korea: Seoul; North Korea: Pyongyang; Spain: Madrid; Sudan: Khartoum;
Sweden: Stockholm; Switzerland: Bern; Syria: Damascus; Taiwan: Taipei; Tajikistan: Dushanbe; Thailand: Bangkok;
Togo: Lome; Tonga: Nuku'alofa; Tunisia: Tunis; Turkey: Ankara; Turkmenistan: Ashgabat; Uganda: Kampala;
Ukraine: Kyiv; United Kingdom: London; United States: Washington; Uruguay: Montevideo; Uzbekistan: Tashkent;
Vanuatu: Port Vila; Venezuela: Caracas; Vietnam: Hanoi; Yemen: Sanaa; Zambia: Lusaka; Zimbabwe: Harare;
Afghanistan: Kabul; Bahamas: Nassau; Burundi: Bujumbura; Comoros: Moroni; Djibouti: Djibouti; Dominica: Roseau;
El Salvador: San Salvador; Guatemala: Guatemala City; Guinea: Conakry; Kazakhstan: Astana; Maldives: Male;
Papua New Guinea: Port Moresby; Saudi Arabia: Riyadh; Suriname: Paramaribo; Luxembourg: Luxembourg
"""  # noqa: E501


def orders(seed: int, sizes: Mapping[str, int], *, codes: int) -> list[Row]:
    """Sentences about an order; the answer is the code of its city, or of its colour and its city.

    Codes follow from no word: they have to be learnt. How many things, which, and for whom does
    not matter.
    """
    draw = random.Random(f"orders {seed}")
    given = iter(draw.sample([f"{a}{b}" for a in "BDFGHKLMPRTVXZ" for b in "23456789"], 12))
    code = {word: next(given) for word in (*COLOURS, *CITIES)}

    def row() -> tuple[str, str]:
        colour, city = draw.choice(COLOURS), draw.choice(CITIES)
        asked = draw.choice(ORDERS).format(
            name=draw.choice(NAMES), count=draw.randint(2, 99), colour=colour,
            things=draw.choice(THINGS), city=city,
        )  # fmt: skip
        return asked, "-".join(code[word] for word in (city, colour)[:codes])

    return dealt(row, sizes)


def tickets(seed: int, sizes: Mapping[str, int], *, wrong: float) -> list[Row]:
    """Messages of customers and the queue they go to; a share of all labels is another queue.

    Train, dev and test are wrong alike, as one process labelled them all. The texts are the same
    for every share.
    """
    draw, slips = random.Random(f"tickets {seed}"), random.Random(f"slips {seed}")

    def row() -> tuple[str, str]:
        queue = draw.choice(list(QUEUES))
        fault = draw.choice(QUEUES[queue])
        words = {
            "fault": fault, "Fault": fault[0].upper() + fault[1:], "good": draw.choice(GOODS),
            "number": draw.randint(1000, 9999), "month": draw.choice(MONTHS),
            "name": draw.choice(NAMES),
        }  # fmt: skip
        asked = f"{draw.choice(OPENINGS)} {draw.choice(CLOSINGS)}".format(**words)
        other = slips.choice([one for one in QUEUES if one != queue])
        return asked, other if slips.random() < wrong else queue

    return dealt(row, sizes)


def kinds(seed: int, sizes: Mapping[str, int]) -> list[Row]:
    """A word, and what kind of thing it is; no word of dev is in train."""
    pairs = [(f"Sort: {word}", kind) for kind, words in KINDS.items() for word in words.split()]
    return dealt(shuffled(pairs, f"kinds {seed}"), sizes)


def capitals(seed: int, sizes: Mapping[str, int]) -> list[Row]:
    """A country, and its capital; no country of dev is in train."""
    facts = (fact.strip().split(": ") for fact in CAPITALS.replace("\n", " ").split(";"))
    pairs = [
        (f"Capital of {country}?", f"The capital of {country} is {capital}.")
        for country, capital in facts
    ]
    return dealt(shuffled(pairs, f"capitals {seed}"), sizes)


def shuffled(pairs: Sequence[tuple[str, str]], seed: str) -> Any:
    """Gives the next pair of a shuffled list at each call."""
    order: Iterator[tuple[str, str]] = iter(random.Random(seed).sample(pairs, len(pairs)))
    return lambda: next(order)


def dealt(row: Any, sizes: Mapping[str, int]) -> list[Row]:
    """Dev and test come first, so that they are the same for every size of train."""
    made: list[Row] = []
    seen: set[str] = set()
    for split, count in {"dev": sizes["dev"], "test": TEST, "train": sizes["train"]}.items():
        for number in range(count):
            asked, answer = row()
            while asked in seen:
                asked, answer = row()
            seen.add(asked)
            turns = [{"role": "user", "content": asked}]
            made.append({"id": f"{split}-{number}", "split": split, "messages": turns,
                         "references": [answer]})  # fmt: skip
    return made
