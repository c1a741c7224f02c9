/** What is said of teaching the model, in German. @type {Record<keyof typeof import('./en.teach.js').default, string>} */
export default {
  teach: 'Dem Modell etwas beibringen',
  teachHint:
    'Das Modell lernt aus Ihren Korrekturen und aus den Schichten, die Sie als richtig markieren. Was nicht markiert ist, zählt nicht. Ein Teil der Markierungen wird zurückgehalten, um das Gelernte zu prüfen: Ein Modell, das schlechter wurde, wird abgelehnt.',
  teachFound: '{voxels} korrigierte Voxel, {slices} geprüfte Schichten, in {cases} Bildern.',
  teachNone: 'Zuerst etwas korrigieren oder richtige Schichten als geprüft markieren.',
  checkSlice: 'Schicht ist richtig',
  uncheckSlice: 'Doch nicht geprüft',
  nextSlice: 'Nächste zu prüfende Schicht',
  nextSliceNone: 'Keine Schicht ist mehr zu prüfen: sonst ist das Modell nirgends unsicher.',
  nextSliceAt: 'In Schicht {slice} der Ansicht {plane} ist das Modell am unsichersten.',
  adviceScan:
    'Das Modell lernt von Ausschnitten um ein Objekt, nicht von ganzen Aufnahmen: Korrekturen an dieser bleiben erhalten und lehren nichts.',
  adviceStart: 'Als Nächstes: „Nächste zu prüfende Schicht“ drücken, diese Schicht mit dem Pinsel korrigieren und als richtig markieren.',
  adviceLabel: 'Als Nächstes: eine Schicht markieren, die {name} zeigt. Noch zeigt es keine Ihrer Markierungen, und es würde verlernt.',
  adviceSlices:
    'Als Nächstes: mindestens {count} Schichten prüfen, die auseinander liegen. Ein Teil davon lehrt, ein anderer bleibt zurück, um das Gelernte zu prüfen.',
  adviceOther: 'Als Nächstes: auch {name} korrigieren. Was aus einem Bild gelernt wird, passt vielleicht nur zu diesem.',
  adviceTwoImages:
    'Als Nächstes: dasselbe in einem zweiten Bild markieren. Eine eigene Konvention wird als Variante angeboten, wo zwei Bilder gewinnen.',
  adviceConvention:
    'Als Nächstes: in jedem Bild mehr Schichten markieren, damit jedes deutlich gewinnt; dann wird Ihre Konvention als Variante angeboten.',
  adviceMore:
    'Als Nächstes: mehr Schichten prüfen, in denen das Modell irrt, vor allem die von „Nächste zu prüfende Schicht“, und länger nachtrainieren.',
  adviceCheckMasks: 'Als Nächstes: nachsehen, ob jede Maske auf ihrem eigenen Bild liegt; sie sind vielleicht vertauscht oder gespiegelt.',
  adviceReady: 'Genug für den Anfang: jetzt nachtrainieren. Jede weitere geprüfte Schicht macht die Prüfung des Gelernten sicherer.',
  adviceReadyOne: 'Genug für den Anfang: jetzt nachtrainieren. Mit einem zweiten Bild gälte das Gelernte für mehr als dieses.',
  minutes: 'Minuten',
  tune: 'Mit meinen Korrekturen nachtrainieren',
  tuneStart: 'Nachtraining: beginnt',
  tuneBefore: 'Nachtraining: Das Modell wird gemessen, wie es ist',
  tuneWhole: 'Nachtraining des Netzes, das das Objekt sucht',
  tunePatch: 'Nachtraining des Netzes, das segmentiert',
  tuneAfter: 'Nachtraining: Das neue Modell wird gemessen',
  curves: 'Letzter Schritt: Verlust {loss}; Dice auf den zurückgehaltenen Markierungen {dice}.',
  curveLoss: 'Verlust, mindestens 0 (links)',
  curveDice: 'Dice, zurückgehalten (rechts)',
  curveSteps: 'Schritte des Trainings',
  verdictBetter: 'Angenommen: Das nachtrainierte Modell trifft die zurückgehaltenen Markierungen besser als vorher.',
  verdictOwn:
    'Nicht übernommen, das Modell bleibt, wie es war: {count} Ihrer Bilder gewinnen {own} oder mehr, aber das mitgelieferte Beispiel verliert mehr als {fall}. So ist es, wo Sie ein Objekt anders zeichnen, als das Modell es gelernt hat. Sie können das nachtrainierte Modell als Ihre eigene Variante behalten.',
  verdictNoGain: 'Abgelehnt, das Modell bleibt, wie es war: Die zurückgehaltenen Markierungen werden nicht besser getroffen als vorher.',
  verdictSmallGain:
    'Abgelehnt, das Modell bleibt, wie es war: Ein Gewinn von weniger als {gain} auf den zurückgehaltenen Markierungen kann Zufall sein.',
  verdictPoorFit: 'Abgelehnt, das Modell bleibt, wie es war: Die zurückgehaltenen Markierungen werden noch immer schlecht getroffen.',
  verdictReference: 'Abgelehnt, das Modell bleibt, wie es war: Das mitgelieferte Beispiel verliert mehr als {fall}.',
  verdictAnnotations:
    'Abgelehnt vor dem ersten Schritt: Ihre Markierungen lassen von den Masken des Modells kaum etwas übrig. Vielleicht sind Masken zwischen Bildern vertauscht oder gespiegelt.',
  heldOut: 'Dice, zurückgehalten',
  referenceCase: 'Dice, Beispiel des Modells',
  variantName: 'Name',
  keepVariant: 'Als meine eigene Variante behalten',
  variantKept: 'Als Ihre eigene Variante „{name}“ behalten. Ihre Datei, ihr Titel und Ihre Berichte sagen es.',
  saveRefused: 'Abgelehntes Modell zum Ansehen sichern',
  beforeAfter: 'Maske vor und nach dem Nachtraining',
  before: 'Vorher',
  after: 'Nachher',
  gained: 'Gewinn',
  revert: 'Zurück zum mitgelieferten Modell',
  reverted: 'Das Modell ist wieder das mitgelieferte.',
  saveDelta: 'Nachtrainiertes Modell sichern',
  loadDelta: 'Nachtrainiertes Modell laden …',
  deltaInput: 'Ein gesichertes nachtrainiertes Modell',
  deltaLoaded: 'Das nachtrainierte Modell wurde geladen.',
  mergeDelta: 'Mit dem einer Kollegin mitteln …',
  mergeInput: 'Ein nachtrainiertes Modell von jemand anderem',
  mergeHint:
    'Das Mittel aus Ihrem Modell und dem einer Kollegin wird an den zurückgehaltenen Markierungen geprüft und übernommen, wenn sie etwa gleich gut getroffen werden.',
  mergedBetter:
    'Übernommen: Das Mittel beider Modelle trifft Ihre zurückgehaltenen Markierungen besser als vorher oder um höchstens {fall} schlechter.',
  mergedFalls:
    'Abgelehnt, das Modell bleibt, wie es war: Das Mittel beider Modelle trifft Ihre zurückgehaltenen Markierungen um mehr als {fall} schlechter.',
  isTuned: 'Das Modell ist nachtrainiert.',
  isVariant: 'Das Modell ist Ihre eigene Variante „{name}“.',
  isRefused: 'Das Modell ist ein nachtrainiertes, das abgelehnt wurde: nur zum Ansehen.',
  tuneCancelled: 'Abgebrochen. Das Modell ist unverändert.',
};
