"""What a visitor is told, in French: vous."""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    "dialing": "Merci ! Nous vous appelons maintenant ; gardez votre téléphone à portée de main.",
    "waiting": "Merci ! Nous vous appellerons dès que l’un de nous sera libre.",
    "scheduled": "Merci ! Nous vous appellerons {time}.",
    "duplicate": "Nous avons déjà votre demande et nous vous appellerons.",
    "phone.missing": "Veuillez indiquer votre numéro de téléphone.",
    "phone.impossible": "Cela ne ressemble pas à un numéro de téléphone. Veuillez le vérifier.",
    "phone.not_callable": "Nous ne pouvons pas appeler ce numéro. Veuillez en indiquer un autre.",
    "site.missing": "Le formulaire n’indique pas à quel site il appartient.",
    "submission_id.too_long": "L’identifiant d’envoi dépasse 64 caractères.",
    "call_at.malformed": "L’heure de l’appel doit être une date et une heure avec le décalage horaire.",
    "call_at.out_of_range": "L’heure de l’appel doit se situer dans les 60 prochains jours.",
    "open": "Nous sommes joignables en ce moment.",
    "busy": "Nous sommes tous en ligne pour le moment. Nous vous rappellerons dès que l’un de nous sera libre.",
    "closed": "Nous sommes fermés en ce moment et nous vous appellerons {time}.",
    "invalid": "Veuillez vérifier les champs indiqués.",
    "rate_limited": "Trop de demandes sont venues de votre connexion. Veuillez réessayer dans un petit moment.",
    "storage_unavailable": "Nous n’avons pas pu enregistrer votre demande. Veuillez réessayer dans un instant.",
    "not_taking": "Nous ne prenons pas de demandes en ce moment. Veuillez réessayer plus tard.",
    "unknown_site": "Il n’y a pas de formulaire à cette adresse. Veuillez vérifier le lien.",
    "origin_not_allowed": (
        "Ce formulaire ne peut pas être envoyé depuis la page où il se trouve. "
        "Appelez-nous, ou prévenez le responsable de cette page."
    ),
    "malformed": "Ce que votre navigateur a envoyé n’a pas pu être lu. Veuillez revenir en arrière et réessayer.",
    "unsupported_media_type": (
        "Un tel formulaire ne peut pas être lu ici. Veuillez revenir en arrière et réessayer sans pièce jointe."
    ),
    "too_large": "Votre texte est trop long pour ce formulaire. Veuillez revenir en arrière et le raccourcir.",
    "timeout": "Votre demande a mis trop de temps à arriver. Veuillez revenir en arrière et réessayer.",
    "in_flight": "Votre demande est en cours de traitement. Veuillez réessayer dans un instant.",
    "idempotency_mismatch": (
        "Ce formulaire a déjà été envoyé avec un autre contenu. Veuillez l’envoyer encore une fois."
    ),
    "not_found": "Il n’y a plus rien ici. Veuillez vérifier le lien.",
    "conflict": "Ce n’est plus possible.",
    "problem": "Votre demande n’a pas pu être traitée.",
}
