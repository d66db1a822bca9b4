"""Invented names and places for simulated schools, with the letters that break naive readers."""

from __future__ import annotations


def words(text: str) -> list[str]:
    """Return the words of a text."""
    return text.split()


def listed(text: str) -> list[str]:
    """Return what stands between the commas of a text."""
    return text.split(", ")


GIRLS = words(
    "Amelia Olivia Isla Ava Mia Zoë Siân Chloë Renée Aisha Fatima Ngozi Priya Mei Sofia Freya Poppy Lily Evie "
    "Grace Ruby Ella Maya Anaïs Niamh Saoirse Orla Zara Leila Hana Jasmine Molly Erin Harriet Matilda Ivy Rosie "
    "Martha Ada Edith"
)
BOYS = words(
    "Oliver George Noah Arthur Harry Leo Muhammad Jack Charlie Oscar Jacob Henry Thomas Freddie Alfie Theo "
    "William Joshua Lucas Mason Łukasz Jürgen André Tomás Kwame Ravi Arjun Idris Yusuf Ibrahim Ewan Rhys Owen "
    "Callum Finn Dylan Toby Reuben Ezra Kit"
)
WOMEN = words(
    "Wendy Sarah Claire Emma Rachel Laura Helen Joanne Nicola Samantha Ngozi Shazia Priya Mei-Ling Agnieszka Siân "
    "Zoë Aoife Chantelle Natasha Victoria Lisa Karen Donna Michelle Rukhsana Amina Grace Ruth Hannah Beth Gemma "
    "Stacey Kirsty Leanne Tracey Yvonne Marie Bronwen Eleanor"
)
MEN = words(
    "David James Paul Mark Andrew Richard Christopher Daniel Michael Robert Chidi Imran Sanjay Wei Piotr Gareth "
    "Seán Darren Lee Stuart Craig Ian Simon Martin Jason Tariq Yusuf Kofi Peter Stephen Adam Ben Luke Matthew "
    "Neil Gavin Ross Declan Huw Elliot"
)
SURNAMES = words(
    "Smith Jones Taylor Brown Williams Wilson Johnson Davies Patel Wright Walker White Edwards Green Hall Lewis "
    "Khan Harris Clarke Jackson Wood Turner Martin Cooper Hill Ward Morris Moore Clark Lee King Baker Harrison "
    "Morgan Allen James Scott Phillips Watson Davis Parker Price Bennett Young Griffiths Mitchell Kelly Cook "
    "Carter Richardson Bailey Collins Bell Shaw Murphy Miller Cox Richards Ali Marshall Okafor Adeyemi Hussain "
    "Begum Kowalski Nowak O’Neill O'Brien D’Souza Müller Lefèvre Núñez Singh Kaur Chen Wang Ahmed Rahman Mensah "
    "Osei Llewellyn Pryce Fitzgerald Abernathy Featherstone Oyelaran Szymański Bradshaw Hale Marsh Stone Larkin "
    "Penrose Thackeray Whitlock"
)
KNOWN_AS = dict(
    pair.split("/")
    for pair in words(
        "Amelia/Millie Olivia/Liv Chloë/Chlo Sofia/Sofi Grace/Gracie Ella/Ellie Harriet/Hattie Matilda/Tilly "
        "Edith/Edie Jasmine/Jas Oliver/Ollie Arthur/Art Muhammad/Mo Jacob/Jake Henry/Hal Thomas/Tom "
        "Freddie/Fred Alfie/Alf William/Will Joshua/Josh Lucas/Luke Callum/Cal Ibrahim/Ibby Rachel/Rach "
        "Joanne/Jo Nicola/Nicky Samantha/Sam Victoria/Vicky Natasha/Tash Eleanor/Nell Bronwen/Bron David/Dave "
        "James/Jim Andrew/Andy Richard/Rich Christopher/Chris Daniel/Dan Michael/Mike Robert/Rob Gareth/Gar "
        "Stuart/Stu Peter/Pete Stephen/Steve Matthew/Matt"
    )
)
"""What some are called instead of their forename."""
MIDDLE = words("Rose Grace Mae Jane Louise James John Lee Michael Alexander Elizabeth Anne Marie Edward")
STREETS = listed(
    "Larch Hill, Beck Road, Station Approach, Church Lane, Mill Street, Orchard Close, The Green, High Street, "
    "Kestrel Way, St John’s Terrace, Canal Walk, Quarry Bank, Elm Grove, Victoria Road, Back Lane, Chapel Row"
)
TOWNS = ["Larchford", "Beckham", "Quarrington", "Millbridge"]
HOUSES = ["Kestrel", "Merlin", "Osprey", "Harrier"]
LANGUAGES = words("English English English English English English Polish Urdu Welsh Somali Arabic Portuguese")
OTHER_RELATIONS = (
    ("Grandmother", "F"),
    ("Grandfather", "M"),
    ("Aunt", "F"),
    ("Uncle", "M"),
    ("Childminder", "F"),
    ("Family friend", "F"),
    ("Neighbour", "M"),
    ("Step Father", "M"),
    ("Foster Mother", "F"),
)
ROLES = ["Teacher", "Teaching Assistant", "Office", "Site Manager", "SENCO", "Midday Supervisor"]
