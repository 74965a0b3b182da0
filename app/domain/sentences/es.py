"""What a visitor is told, in Spanish: usted."""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    "dialing": "¡Gracias! Le estamos llamando ahora; tenga el teléfono a mano.",
    "waiting": "¡Gracias! Le llamaremos en cuanto uno de nosotros esté libre.",
    "scheduled": "¡Gracias! Le llamaremos {time}.",
    "duplicate": "Ya tenemos su solicitud y le llamaremos.",
    "phone.missing": "Indique su número de teléfono.",
    "phone.impossible": "Esto no parece un número de teléfono. Compruébelo, por favor.",
    "phone.not_callable": "No podemos llamar a este número. Indique otro, por favor.",
    "site.missing": "El formulario no indica a qué sitio pertenece.",
    "submission_id.too_long": "El identificador del envío tiene más de 64 caracteres.",
    "call_at.malformed": "La hora de la llamada debe ser una fecha y una hora con su diferencia horaria.",
    "call_at.out_of_range": "La hora de la llamada debe estar dentro de los próximos 60 días.",
    "open": "Estamos disponibles ahora.",
    "busy": "Ahora mismo todos estamos al teléfono. Le llamaremos en cuanto uno de nosotros quede libre.",
    "closed": "Ahora estamos cerrados y le llamaremos {time}.",
    "invalid": "Compruebe los campos señalados, por favor.",
    "rate_limited": "Han llegado demasiadas solicitudes desde su conexión. Vuelva a intentarlo dentro de un rato.",
    "storage_unavailable": "No hemos podido guardar su solicitud. Vuelva a intentarlo dentro de un momento.",
    "not_taking": "Ahora no aceptamos solicitudes. Vuelva a intentarlo más tarde.",
    "unknown_site": "No hay ningún formulario en esta dirección. Compruebe el enlace.",
    "origin_not_allowed": (
        "Este formulario no se puede enviar desde la página en la que está. "
        "Llámenos o avise al responsable de la página."
    ),
    "malformed": "No se ha podido leer lo que envió su navegador. Vuelva atrás e inténtelo de nuevo.",
    "unsupported_media_type": (
        "Aquí no se puede leer un formulario así. Vuelva atrás e inténtelo de nuevo sin archivos adjuntos."
    ),
    "too_large": "El texto es demasiado largo para este formulario. Vuelva atrás y acórtelo.",
    "timeout": "Su solicitud ha tardado demasiado en llegar. Vuelva atrás e inténtelo de nuevo.",
    "in_flight": "Su solicitud se está tramitando. Vuelva a intentarlo dentro de un momento.",
    "idempotency_mismatch": "Este formulario ya se envió con otro contenido. Envíelo otra vez, por favor.",
    "not_found": "Aquí ya no hay nada. Compruebe el enlace.",
    "conflict": "Ya no es posible.",
    "problem": "No se ha podido tramitar su solicitud.",
}
