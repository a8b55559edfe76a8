#include "pdfenc/wording.h"

#include <string.h>

enum { LANGUAGES = 3 };	/* besides English: German, French, Spanish */

struct words {
	const char *english;
	const char *others[LANGUAGES];
};

static const struct words table[] = {
	/* the head */
	{ "From", { "Von", "De", "De" } },
	{ "To", { "An", "À", "Para" } },
	{ "Cc", { "Kopie", "Cc", "Cc" } },
	{ "Date", { "Datum", "Date", "Fecha" } },
	{ "Subject", { "Betreff", "Objet", "Asunto" } },
	{ "(no subject)", { "(kein Betreff)", "(sans objet)", "(sin asunto)" } },
	{ "(not stated)", { "(nicht angegeben)", "(non indiquée)", "(no indicada)" } },
	{ "Encrypted PDF (AES-256)", { "Verschlüsseltes PDF (AES-256)",
	    "PDF chiffré (AES-256)", "PDF cifrado (AES-256)" } },
	{ "Attached message", { "Angehängte Nachricht", "Message joint", "Mensaje adjunto" } },
	{ "Page %u of %u", { "Seite %u von %u", "Page %u sur %u", "Página %u de %u" } },
	/* attached files */
	{ "1 attached file, inside this document", { "1 Anhang, in diesem Dokument enthalten",
	    "1 pièce jointe, dans ce document", "1 archivo adjunto, dentro de este documento" } },
	{ "%u attached files, inside this document", { "%u Anhänge, in diesem Dokument enthalten",
	    "%u pièces jointes, dans ce document", "%u archivos adjuntos, dentro de este "
	    "documento" } },
	{ "1 picture that the message shows", { "1 Bild, das in der Nachricht zu sehen ist",
	    "1 image visible dans le message", "1 imagen que se ve en el mensaje" } },
	{ "%u pictures that the message shows", { "%u Bilder, die in der Nachricht zu sehen sind",
	    "%u images visibles dans le message", "%u imágenes que se ven en el mensaje" } },
	{ "pages %u to %u", { "Seiten %u bis %u", "pages %u à %u", "páginas %u a %u" } },
	{ "page %u", { "Seite %u", "page %u", "página %u" } },
	{ "in the message", { "in der Nachricht", "dans le message", "en el mensaje" } },
	{ "attachments pane", { "Liste der Anhänge", "volet pièces jointes",
	    "panel de adjuntos" } },
	{ "This PDF is encrypted; open the attached file.",
	    { "Dieses PDF ist verschlüsselt; bitte die angehängte Datei öffnen.",
	    "Ce PDF est chiffré ; ouvrez le fichier joint.",
	    "Este PDF está cifrado; abra el archivo adjunto." } },
	{ "This PDF is a form that only Adobe's programs show; open the attached file.",
	    { "Dieses PDF ist ein Formular, das nur Programme von Adobe zeigen; bitte die "
	    "angehängte "
	    "Datei öffnen.",
	    "Ce PDF est un formulaire que seuls les programmes d'Adobe affichent ; ouvrez le "
	    "fichier "
	    "joint.",
	    "Este PDF es un formulario que solo muestran los programas de Adobe; abra el archivo "
	    "adjunto." } },
	{ "This PDF is damaged and cannot be shown here; the attached file is as it came.",
	    { "Dieses PDF ist beschädigt und kann hier nicht gezeigt werden; die angehängte "
	    "Datei ist "
	    "so, wie sie kam.",
	    "Ce PDF est endommagé et ne peut être affiché ici ; le fichier joint est tel qu'il "
	    "est "
	    "arrivé.",
	    "Este PDF está dañado y no se puede mostrar aquí; el archivo adjunto está tal como "
	    "llegó." } },
	{ "This PDF is too complex to be shown here; open the attached file.",
	    { "Dieses PDF ist zu aufwendig, um hier gezeigt zu werden; bitte die angehängte Datei "
	    "öffnen.",
	    "Ce PDF est trop complexe pour être affiché ici ; ouvrez le fichier joint.",
	    "Este PDF es demasiado complejo para mostrarlo aquí; abra el archivo adjunto." } },
	{ "Not shown here, because the attached files have too many pages.",
	    { "Hier nicht gezeigt, weil die Anhänge zu viele Seiten haben.",
	    "Non affiché ici : les pièces jointes ont trop de pages.",
	    "No se muestra aquí porque los adjuntos tienen demasiadas páginas." } },
	{ "The first %u of its %u pages are shown here.",
	    { "Die ersten %u der %u Seiten sind hier zu sehen.",
	    "Les %u premières pages sur %u sont affichées ici.",
	    "Aquí se muestran las primeras %u de sus %u páginas." } },
	{ "Not shown here: a picture of %u by %u pixels.",
	    { "Hier nicht gezeigt: ein Bild von %u mal %u Pixeln.",
	    "Non affichée ici : une image de %u sur %u pixels.",
	    "No se muestra aquí: una imagen de %u por %u píxeles." } },
	{ "Not shown here, because the attached files have too much text.",
	    { "Hier nicht gezeigt, weil die Anhänge zu viel Text haben.",
	    "Non affiché ici : les pièces jointes ont trop de texte.",
	    "No se muestra aquí porque los adjuntos tienen demasiado texto." } },
	{ "Only its beginning is shown here.", { "Hier ist nur der Anfang zu sehen.",
	    "Seul le début est affiché ici.", "Aquí solo se muestra el principio." } },
	{ "This picture cannot be shown here; open the attached file.",
	    { "Dieses Bild kann hier nicht gezeigt werden; bitte die angehängte Datei öffnen.",
	    "Cette image ne peut être affichée ici ; ouvrez le fichier joint.",
	    "Esta imagen no se puede mostrar aquí; abra el archivo adjunto." } },
	{ "Not shown here, because it is large.", { "Hier nicht gezeigt, weil die Datei groß ist.",
	    "Non affiché ici en raison de sa taille.", "No se muestra aquí porque es grande." } },
	/* notes */
	{ "This message has more parts than are shown here. All of them are in the attached file "
	    "original.eml, which a mail program opens.",
	    { "Diese Nachricht hat mehr Teile, als hier zu sehen sind. Alle stehen in der "
	    "angehängten "
	    "Datei original.eml, die ein Mailprogramm öffnet.",
	    "Ce message contient plus de parties qu'il n'en est affiché ici. Elles sont toutes "
	    "dans le "
	    "fichier joint original.eml, qu'un logiciel de messagerie ouvre.",
	    "Este mensaje tiene más partes de las que se muestran aquí. Todas están en el "
	    "archivo "
	    "adjunto original.eml, que se abre con un programa de correo." } },
	{ "This message could not be shown as it was designed; this is its text. The original is "
	    "in "
	    "the attached file original.eml.",
	    { "Diese Nachricht konnte nicht so gezeigt werden, wie sie gestaltet ist; dies ist ihr "
	    "Text. Das Original ist die angehängte Datei original.eml.",
	    "Ce message n'a pu être affiché avec sa mise en page ; voici son texte. L'original "
	    "est "
	    "dans le fichier joint original.eml.",
	    "Este mensaje no se pudo mostrar con su diseño; este es su texto. El original está "
	    "en el "
	    "archivo adjunto original.eml." } },
	{ "The message goes on. The rest of it is in the attached file original.eml, which a mail "
	    "program opens.",
	    { "Die Nachricht geht weiter. Der Rest steht in der angehängten Datei original.eml, "
	    "die "
	    "ein Mailprogramm öffnet.",
	    "Le message continue. La suite est dans le fichier joint original.eml, qu'un logiciel "
	    "de "
	    "messagerie ouvre.",
	    "El mensaje continúa. El resto está en el archivo adjunto original.eml, que se abre "
	    "con "
	    "un programa de correo." } },
	{ "This message has no text, only the attached files.",
	    { "Diese Nachricht hat keinen Text, nur die Anhänge.",
	    "Ce message n'a pas de texte, seulement les pièces jointes.",
	    "Este mensaje no tiene texto, solo los archivos adjuntos." } },
	{ "This message has no text.", { "Diese Nachricht hat keinen Text.",
	    "Ce message n'a pas de texte.", "Este mensaje no tiene texto." } },
	/* invitations and visiting cards */
	{ "Invitation", { "Einladung", "Invitation", "Invitación" } },
	{ "Cancelled", { "Abgesagt", "Annulé", "Cancelado" } },
	{ "Answer to an invitation", { "Antwort auf eine Einladung", "Réponse à une invitation",
	    "Respuesta a una invitación" } },
	{ "Proposal for another time", { "Vorschlag für einen anderen Termin",
	    "Proposition d'une autre date", "Propuesta de otra fecha" } },
	{ "Event", { "Termin", "Événement", "Evento" } },
	{ "What", { "Was", "Quoi", "Qué" } },
	{ "When", { "Wann", "Quand", "Cuándo" } },
	{ "Repeats", { "Wiederholt", "Répétition", "Se repite" } },
	{ "Where", { "Wo", "Où", "Dónde" } },
	{ "Organizer", { "Veranstalter", "Organisateur", "Organizador" } },
	{ "Who", { "Wer", "Qui", "Quién" } },
	{ "Status", { "Status", "État", "Estado" } },
	{ "Notes", { "Notizen", "Notes", "Notas" } },
	{ "Visiting card", { "Visitenkarte", "Carte de visite", "Tarjeta de visita" } },
	{ "Name", { "Name", "Nom", "Nombre" } },
	{ "Title", { "Titel", "Titre", "Cargo" } },
	{ "Email", { "E-Mail", "E-mail", "Correo" } },
	{ "Phone", { "Telefon", "Téléphone", "Teléfono" } },
	{ "Web", { "Web", "Web", "Web" } },
	{ "Born", { "Geboren", "Né(e) le", "Nacimiento" } },
	{ "Company", { "Firma", "Société", "Empresa" } },
	{ "Address", { "Adresse", "Adresse", "Dirección" } },
};

static const char *const weekdays[1 + LANGUAGES][7] = {
	{ "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday" },
	{ "Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag" },
	{ "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche" },
	{ "lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo" },
};

static const char *const months[1 + LANGUAGES][12] = {
	{ "January", "February", "March", "April", "May", "June", "July", "August", "September",
	    "October", "November", "December" },
	{ "Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September",
	    "Oktober", "November", "Dezember" },
	{ "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre",
	    "octobre", "novembre", "décembre" },
	{ "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre",
	    "octubre", "noviembre", "diciembre" },
};

static unsigned int place_of(enum conf_language language)
{
	switch (language) {
	case CONF_GERMAN:
		return 1;
	case CONF_FRENCH:
		return 2;
	case CONF_SPANISH:
		return 3;
	default:
		return 0;
	}
}

/* 0: English, else 1 + the place in others. A worker has one message at a time. */
static unsigned int *place_in_use(void)
{
	static unsigned int place;

	return &place;
}

void wording_use(enum conf_language language)
{
	*place_in_use() = place_of(language);
}

const char *wording(const char *english)
{
	unsigned int in_use = *place_in_use();

	for (size_t i = 0; in_use > 0 && i < G_N_ELEMENTS(table); i++)
		if (strcmp(table[i].english, english) == 0)
			return table[i].others[in_use - 1];
	return english;
}

char *wording_date(GDateTime *date)
{
	/* behind the weekday, the day and the month */
	static const char *const between[1 + LANGUAGES][3] = { { ", ", " ", " " },
		{ ", ", ". ", " " }, { " ", " ", " " }, { ", ", " de ", " de " } };
	unsigned int in_use = *place_in_use();
	char *time = g_date_time_format(date, "%H:%M (UTC%:z)");
	GString *out = g_string_new(NULL);

	if (time == NULL)
		return g_string_free(out, TRUE);
	g_string_append_printf(out, "%s%s%d%s%s%s%d, %s",
	    weekdays[in_use][g_date_time_get_day_of_week(date) - 1], between[in_use][0],
	    g_date_time_get_day_of_month(date), between[in_use][1],
	    months[in_use][g_date_time_get_month(date) - 1], between[in_use][2],
	    g_date_time_get_year(date), time);
	g_free(time);
	return g_string_free(out, FALSE);
}
