"""Made voices that say invented private things: sounds for checks whose answer is known."""

from collections.abc import Iterator
from random import Random

import numpy as np
from faker import Faker

from .voices import RATE, DemoVoice, noise, speak

# By language: the voice's name in eSpeak, Faker's list, and sentences as people say such things aside.
SAID = {
    "en": (
        "en-us",
        "en_US",
        (
            "hi, this is {name}, call me back on {number}",
            "turn off the light, {first}, and lock the door",
            "please send it to {street} in {city}",
            "{first} has an appointment at the hospital about her diabetes",
        ),
    ),
    "es": (
        "es",
        "es_ES",
        (
            "hola, soy {name}, llámame al {number}",
            "apaga la luz, {first}, y cierra la puerta",
            "mándalo por favor a {street}, en {city}",
            "{first} tiene cita en el hospital por la diabetes",
        ),
    ),
    "ar": (
        "ar",
        "ar_AA",
        (
            "مرحبا، أنا {name}، اتصل بي على {number}",
            "أطفئ الضوء يا {first} وأغلق الباب",
            "أرسله من فضلك إلى {street} في {city}",
            "لدى {first} موعد في المستشفى بسبب السكري",
        ),
    ),
    "de": (
        "de",
        "de_DE",
        (
            "hallo, hier ist {name}, ruf mich an unter {number}",
            "mach das Licht aus, {first}, und schließ die Tür ab",
            "schick es bitte an {street} in {city}",
            "{first} hat wegen Diabetes einen Termin im Krankenhaus",
        ),
    ),
    "fr": (
        "fr",
        "fr_FR",
        (
            "bonjour, c'est {name}, rappelle-moi au {number}",
            "éteins la lumière, {first}, et ferme la porte",
            "envoie-le s'il te plaît au {street}, à {city}",
            "{first} a rendez-vous à l'hôpital pour son diabète",
        ),
    ),
}
VARIANTS = ("f1", "m3", "f4", "m7", "m1", "m5")


def sounds(language: str, number: int, seed: int) -> Iterator[np.ndarray]:
    """So many sounds, each int16 (n,) at 16 kHz. Raises NoVoices without eSpeak, KeyError for a language."""
    espeak, names, sentences = SAID[language]
    random, invented = Random(seed), Faker(names)
    invented.seed_instance(seed)
    for n in range(number):
        voice = DemoVoice(
            f"voice {n}", espeak, random.choice(VARIANTS), random.randint(140, 185), random.randint(30, 65)
        )
        text = random.choice(sentences).format(
            name=invented.name(),
            first=invented.first_name(),
            number=" ".join(str(random.randrange(10)) for _ in range(9)),
            street=invented.street_name(),
            city=invented.city(),
        )
        yield _as_recorded(speak(text, voice), random)


def _as_recorded(spoken: np.ndarray, random: Random) -> np.ndarray:
    """With a pause before and after, in a room that is not silent, at any loudness."""
    padded = np.pad(spoken, [round(RATE * random.uniform(0.1, 0.4)) for _ in range(2)])
    room = noise("pink", len(padded) / RATE, random.randrange(2**31)) * 10 ** (random.uniform(-45, -24) / 20)
    mixed = padded / np.abs(padded.astype(np.int32)).max() + room / 32_768
    return np.rint(32_767 * random.uniform(0.25, 0.8) * mixed / np.abs(mixed).max()).astype(np.int16)
