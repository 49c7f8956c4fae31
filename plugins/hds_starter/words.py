"""The words and phrases in which people ask about countries, by what they say: plain tables, in plain letters."""

from __future__ import annotations

ATTRIBUTES = {
    "capital": """
        capital, capitals, capital city, capital cities, capital town, capitol, capitols
    """,
    "population": """
        population, populations, inhabitants, inhabitant, residents, populous, number of people, how many people, head
        count, populated, how many folks, people living, populace, population size, size of the population,
        number of inhabitants, number of residents
    """,
    "area": """
        area, areas, size, sizes, surface, surface area, square kilometres, square kilometers, square km,
        sq km, km2, how large, how big, land mass, landmass, how much land, square kilometre, square kilometer, how
        small, total area, size of the territory
    """,
    "currency": """
        currency, currencies, money, pay, pays, paid, legal tender, cash, banknotes, coins, buy things, spend, paying,
        local currency, local money, currancy, currancies
    """,
    "language": """
        language, languages, official language, official languages, speak, speaks, spoken, speaking, talk, tongue,
        main language, main languages, language spoken, languages spoken
    """,
    "calling": """
        calling code, calling codes, phone code, phone codes, dialling code, dialing code, dialling codes, dialing
        codes, telephone code, dial code, phone prefix, dialling prefix, dialing prefix, country code, country codes,
        dial, international code, phone country code, calling prefix, telephone prefix, prefix, phone, international
        dialling code, international dialing code, call code, area code
    """,
    "domain": """
        internet domain, internet domains, domain, domains, top level domain, top level domains, tld, web domain,
        internet code, internet country code, web address, website ending, url ending, domain ending, websites, web
        ending, internet ending, domain name, internet suffix, country code on the internet, web suffix, internet tld
    """,
    "region": """
        region, continent, subregion, part of the world, located, location, situated, which continent, lies, lie
    """,
    "people": """
        demonym, demonyms, called, call, nationality, demonym for
    """,
    "provinces": """
        provinces, province
    """,
}
"""What is asked for, by the keys of `training/facts.py`."""
BORDERS = """
    border, borders, bordering, bordered by, neighbour, neighbours, neighbor, neighbors, neighbouring, neighboring,
    next to, located next to, lies next to, lie next to, situated next to, adjacent, adjacent to, adjoin, adjoins,
    adjoining, share a border, shares a border, share a border with, shares a border with, share borders, share a land
    border, sharing a border, border with, surround, surrounds, surrounding, touch,
    touches, touching, neighbour countries, neighbouring countries, neighboring countries, neighbouring country,
    neighboring country, abut, abuts, around
"""
MOST = {
    "area": """
        larger, largest, bigger, biggest, hugest, largest territory, larger territory, biggest territory,
        most land, more land, larger by area, vastest
    """,
    "population": """
        more people, most people, more inhabitants, most inhabitants, most populous, more populous, most populated,
        more populated, biggest population, largest population, highest population, larger population, bigger
        population, more residents, most residents, greatest population, higher population
    """,
    "": """
        more, most, greater, greatest, higher, highest, at least, no fewer than, no less than, not fewer than, not
        less than
    """,
}
"""The most of a population, of an area, or of something that other words name."""
LEAST = {
    "area": """
        smaller, smallest, smallest territory, smaller territory, tiniest, tinier, littlest, least land, less
        land
    """,
    "population": """
        fewer people, fewest people, less people, least people, fewer inhabitants, fewest inhabitants, least populous,
        less populous, least populated, less populated, smallest population, lowest population, smaller population,
        lower population, fewest residents, fewer residents
    """,
    "": """
        less, least, fewer, fewest, lower, lowest, at most, no more than, not more than
    """,
}
OTHERS = {
    "count": """
        how many, number of, count, amount of
    """,
    "total": """
        total, combined, together, altogether, sum, in total, all together, added up, taken together, plus, overall,
        summed
    """,
    "gap": """
        difference, by how many, by how much, how much
    """,
    "than": """
        than, compared to, compared with
    """,
    "both": """
        both, common, in common, have in common, mutual
    """,
    "few": """
        two, three, four, five, six, seven, eight, nine, ten
    """,
    "from": """
        from
    """,
    "between": """
        between
    """,
    "as": """
        as
    """,
    "same": """
        same, equal
    """,
    "or": """
        or, vs, versus
    """,
    "land": """
        land, land border, land borders, any borders, any land borders, any neighbours, any neighbors, any border, any
        land border, any land neighbours
    """,
    "and": """
        and, with, as well as, along with
    """,
    "use": """
        use, uses, used, using, accept, accepts
    """,
    "where": """
        where, wheres
    """,
    "pronoun": """
        its, it, their, they, them, there, theirs
    """,
    "country": """
        country, countries, nation, nations, state, states, countrys
    """,
    "refused": """
        why, how come, surrounded, surrounded by, but one, but two
    """,
}
"""What is done with it, and small words that hold a question together."""
FILLERS = frozenset(
    """
    a across actually again all also am among amongst an any anyone are at be belong belongs but by can citizens
    compare compared comparing could curious currently dear do does each evening every everyone exactly find folks
    for friend get gimme give good got guys has have having hello help hey hi hold how holds i id if im in inside
    into is just kind kindly know let lets list live lives living locals look madam maybe me morning much my name
    named need now of official oh ok okay on one ones our own people perhaps person please pls plz possibly question
    quick quickly r really remind right s show sir so somebody someone sure teh tell thank thanks that the then
    these this those thx to today too true u ur waht want wat well what whats whcih whether which who whom whos
    whose whta wich within wonder wondering would you your
    """.split()
)
"""Words that say nothing of what is asked."""


def phrases(text: str) -> list[str]:
    """The phrases of a table's entry."""
    return [" ".join(part.split()) for part in text.split(",")]
